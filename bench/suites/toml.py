"""The TOML files of suites: the built-in files of this folder, and a user's files."""

import tomllib
from pathlib import Path
from typing import Any, Final

from results.errors import InputError, suggestion

_FOLDER: Final = Path(__file__).parent
_LARGEST_BYTES: Final = 100_000  # A suite is written by hand; more is the wrong file.
_LONGEST_LINE: Final = 10_000  # tomllib's time is quadratic in the parts of a dotted key: for 100 kB of them, minutes.


def builtin_suites() -> dict[str, str]:
    """Return the descriptions of the built-in suites by name."""
    return {path.stem: read_toml(path)["description"] for path in sorted(_FOLDER.glob("*.toml"))}


def suite_path(name_or_path: str | Path) -> Path:
    """Return the path of the built-in suite of that name, or of that TOML file.

    Raises:
        InputError: there is no such suite.
    """
    name = str(name_or_path)
    builtin = {path.stem: path for path in _FOLDER.glob("*.toml")}
    path = builtin.get(name, Path(name))
    if name not in builtin and path.suffix != ".toml":
        raise InputError(
            f"unknown suite {name!r}{suggestion(name, builtin)} "
            f"(choices: {', '.join(sorted(builtin))}, or the path of a .toml file)"
        )
    return path


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a suite's file; raise `InputError` where it cannot be read."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"cannot read suite {str(path)!r}: it is a device or a pipe")
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read suite {str(path)!r}: {error.strerror}") from error
    if len(content) > _LARGEST_BYTES or max(map(len, content.split(b"\n"))) > _LONGEST_LINE:
        raise InputError(f"{path}: larger than any suite, or with a longer line")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not TOML: {error}") from error
