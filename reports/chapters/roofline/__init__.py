"""How far layers are from what their device can do, and what would help."""
