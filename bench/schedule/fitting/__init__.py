"""The largest batch that fits in a memory."""
