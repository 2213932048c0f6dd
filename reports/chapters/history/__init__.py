"""Latency over time."""
