"""Check whether this machine is fit to measure."""
