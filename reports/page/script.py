"""The script of the page: small modules that share the scope of a single function, joined in a fixed order."""

from pathlib import Path
from typing import Final

SCRIPT_FOLDER: Final = Path(__file__).parent / "templates" / "script"
GUARD: Final = "guard"
"""What reports that the others failed, and therefore stands outside of their function."""
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
"""In the order in which they run: a module uses constants of those above it, and functions of all."""


def script() -> str:
    """Return the script of the page."""
    body = "\n".join(_text(name) for name in MODULES)
    return f"{_text(GUARD)}\n(async () => {{\n{body}}})().catch(fail);\n"


def _text(name: str) -> str:
    return (SCRIPT_FOLDER / f"{name}.js").read_text(encoding="utf-8")
