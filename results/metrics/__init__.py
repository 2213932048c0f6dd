"""Metrics of records, and their table."""
