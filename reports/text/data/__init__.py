"""Text about data: how fast it is loaded, and what a classifier says of it."""
