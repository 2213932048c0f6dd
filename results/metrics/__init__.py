"""Metrics of records, and the table of them."""
