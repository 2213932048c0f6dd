"""Comparisons of runs: two sides, A/B arms, and history."""
