"""The search for the fastest configuration: candidates, bounds, and the race between them."""
