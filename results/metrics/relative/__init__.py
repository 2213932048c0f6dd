"""Records against others of their replicate: baselines, and the reference of the run."""
