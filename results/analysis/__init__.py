"""Comparisons of runs: two sides, A/B arms, history."""
