"""Write files atomically: a new file replaces the old file once it is complete."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from results.errors import InputError

if TYPE_CHECKING:
    from results.storage.reader import Records


ELSEWHERE: Final = "choose another folder with --out"
"""What to do where a run file cannot be made."""


def check_absent(path: Path) -> None:
    """Raise `InputError` where there is a file at `path`: a run file is never overwritten."""
    if path.exists():
        raise InputError(f"{path} is there already; {ELSEWHERE}")


def check_output(path: Path, records: "Records", what: str) -> None:
    """Refuse to overwrite a run file (``-o runs/*.jsonl``), or a device such as /dev/null.

    Args:
        path: the file to write.
        records: the records that the content is made from.
        what: name of the content in the message, such as ``the page``.

    Raises:
        InputError: `path` is a run file, a folder or a device.
    """
    if path.suffix == ".jsonl" or os.path.realpath(path) in {str(file.path) for file in records.files}:
        raise InputError(f"{str(path)!r} is a run file; choose another path for {what}")
    if path.exists() and not path.is_file():
        raise InputError(f"{str(path)!r} is no file; choose another path for {what}")


def replace(path: Path, content: bytes, what: str) -> None:
    """Write `content` to a file next to `path`, and rename it to `path`.

    Raises:
        InputError: The disk refuses; the message names `what`, such as ``the page``.
    """
    try:
        handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(half).chmod(0o644)
            Path(half).replace(path)
        except BaseException:
            Path(half).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"cannot write {str(path)!r}: {error.strerror or error}; choose another path for {what}"
        ) from None
