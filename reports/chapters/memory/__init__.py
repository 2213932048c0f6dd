"""What the memory of a step holds, predicted and measured."""
