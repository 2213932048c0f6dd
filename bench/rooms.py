"""Import this project's packages from their own folder, never from a user's folder of the same name."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

ROOMS: Final = ("bench", "resnet", "results", "reports")
"""The packages."""
ROOMS_FOLDER: Final = Path(__file__).resolve().parents[1]
"""The folder that holds them."""


class Rooms:
    """Finds the packages of this project in `ROOMS_FOLDER`, and no other module there."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of a package of this project, None for other modules."""
        del path, target
        return PathFinder.find_spec(name, [str(ROOMS_FOLDER)]) if name in ROOMS else None


def come_first() -> None:
    """Let the packages of this project come before modules of the same names in the current folder."""
    sys.meta_path.insert(0, Rooms)
