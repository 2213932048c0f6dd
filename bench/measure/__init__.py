"""The timing loop, devices, precision and peak rates."""
