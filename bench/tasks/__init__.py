"""What a step does: the networks, and inference and training with them."""
