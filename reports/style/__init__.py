"""Colours, axes, units, columns: what all figures and tables share."""
