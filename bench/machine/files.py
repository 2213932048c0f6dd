"""Small files of the system, such as those in ``/proc`` and ``/sys``."""

import pathlib


def read_text(path: pathlib.Path) -> str:
    """Return the file's text without surrounding space, empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
