"""What a step does: inference and training."""
