"""Shapes of figures that know no chapter."""
