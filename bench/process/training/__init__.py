"""The parent's side of a training: what is said to its worker, and the energy that it takes."""
