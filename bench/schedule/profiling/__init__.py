"""Explain cases: what a device can do, where the time of a step goes, what its memory holds."""
