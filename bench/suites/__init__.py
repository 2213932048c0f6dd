"""Suites: which cases to measure. The TOML files in this folder are the built-in suites."""
