"""Suites, descriptions of cases to measure. The TOML files in this folder are the built-in suites."""

from typing import Final

from results.schema.axes import AXES

SUITE_AXES: Final = tuple(name for name in AXES if name != "device")
"""Axes that a suite may set, the slowest first. The device belongs to the machine."""
