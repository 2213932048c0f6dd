"""Text about data: how fast it is loaded."""
