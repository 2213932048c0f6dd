"""Shapes of figures, independent of chapters."""
