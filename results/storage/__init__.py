"""Run files: reading, writing, damage."""
