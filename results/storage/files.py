"""Files that take the place of what was there only once they are whole."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from results.errors import InputError

if TYPE_CHECKING:
    from results.storage.reader import Records


def check_place(path: Path, records: "Records", what: str) -> None:
    """Refuse what a slip of the hand would destroy: a run file (``-o runs/*.jsonl``), or a device such as /dev/null.

    Args:
        path: where `what`, such as ``the page``, is to be written.
        records: what it is made of; none of their files is replaced.
        what: for the message.

    Raises:
        InputError: `path` is no place for it.
    """
    if path.suffix == ".jsonl" or os.path.realpath(path) in {str(file.path) for file in records.files}:
        raise InputError(f"{str(path)!r} is the place of a run file; choose another path for {what}")
    if path.exists() and not path.is_file():
        raise InputError(f"{str(path)!r} is there and no file; choose another path for {what}")


def replace(path: Path, content: bytes, what: str) -> None:
    """Write `content` beside `path` and move it there.

    Raises:
        InputError: `what`, such as ``the page``, cannot be written there.
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
