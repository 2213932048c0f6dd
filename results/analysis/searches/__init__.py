"""Searches for the fastest configuration."""
