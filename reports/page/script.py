"""The script of the page: small modules that share the scope of a single function, joined in a fixed order."""

from pathlib import Path
from typing import Final

SCRIPT_FOLDER: Final = Path(__file__).parent / "templates" / "script"
GUARD: Final = "guard"
"""Module that reports a failure of the other modules, and is therefore outside of their function."""
MODULES: Final = (
    "elements",
    "state",
    "facets",
    "views",
    "charts",
    "tables",
    "cases",
    "details",
    "pick",
    "print",
    "boot",
)
"""Modules in the order of execution: a module uses constants of the modules above it, and functions of all."""


def script() -> str:
    """Return the script of the page."""
    body = "\n".join(_text(name) for name in MODULES)
    return f"{_text(GUARD)}\n(async () => {{\n{body}}})().catch(fail);\n"


def _text(name: str) -> str:
    return (SCRIPT_FOLDER / f"{name}.js").read_text(encoding="utf-8")
