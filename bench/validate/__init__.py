"""Whether a case ran as its label says and computes the right result."""
