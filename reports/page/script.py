"""The scripts of the page: the guard, and small modules that share the scope of one function, in a fixed order."""

from pathlib import Path
from typing import Final

SCRIPT_FOLDER: Final = Path(__file__).parent / "templates" / "script"
GUARD: Final = "guard"
"""What says that the others failed. A script of its own: a browser that cannot parse the others still runs it."""
MODULES: Final = (
    "elements",
    "state",
    "facets",
    "views",
    "names",
    "charts",
    "tables",
    "uncertainty",
    "cases",
    "details",
    "pick",
    "print",
    "boot",
)
"""Modules in the order of execution: a module uses constants of the modules above it, and functions of all."""


def guard() -> str:
    """Return the script that runs before all others."""
    return _text(GUARD)


def script() -> str:
    """Return the script that draws the charts, filters, sorts, picks and copies; it loads and sends nothing."""
    body = "\n".join(_text(name) for name in MODULES)
    return f'"use strict";\n(async () => {{\n{body}}})();\n'


def _text(name: str) -> str:
    return (SCRIPT_FOLDER / f"{name}.js").read_text(encoding="utf-8")
