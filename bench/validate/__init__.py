"""Check that a case ran as its label promises and computes the right result."""
