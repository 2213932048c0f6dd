"""Comparison of machines, versions and runs."""
