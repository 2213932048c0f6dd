"""The work of a step: networks, and inference and training with them."""
