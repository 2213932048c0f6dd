"""A copy of the packages in which a recipe of docs/architecture.md is followed, and tests are run."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

ROOT: Final = pathlib.Path(__file__).parents[2]
_COPIED: Final = ("bench", "resnet", "results", "reports", "tests/conftest.py", "tests/registries", "pyproject.toml")
DECLARATIONS: Final = "tests/registries/test_declarations.py"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a throw-away thing is added: its edits by file, and the tests that show that it is known everywhere."""

    edits: Mapping[str, tuple[tuple[str, str], ...]]
    """For each file, pairs of a text and its replacement; the pair of an empty text creates the file."""
    checks: str
    """Module in ``tests/registries/checks``."""
    declared: str = ""
    """Expression of pytest for the tests of declarations that concern it; empty: all of them, and its checks."""


def grown(folder: pathlib.Path, recipe: Recipe, *, without: str | None = None) -> pathlib.Path:
    """Copy the packages to `folder`, follow the recipe but for the file `without`, and return the folder."""
    for name in _COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)  # with bytecode, which stays valid as times are copied too
        else:
            shutil.copyfile(source, target)
    for name, pairs in recipe.edits.items():
        if name == without:
            continue
        path = folder / name
        content = path.read_text(encoding="utf-8") if path.exists() else ""
        for old, new in pairs:
            if content.count(old) != 1 and old:
                raise ValueError(f"{name} has not exactly one {old!r}: mend the recipe")
            content = content.replace(old, new) if old else new
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def run_tests(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a copy."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
