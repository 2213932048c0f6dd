"""The dataclasses of a run file, and what is declared about their fields."""
