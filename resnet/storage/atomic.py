"""Write a file whole or not at all."""

import os
import pathlib


def replace_file(path: pathlib.Path, content: bytes) -> None:
    """Write `content` atomically: whatever happens, `path` holds the old content or the new content, whole.

    Raises:
        OSError: The file cannot be written, such as on a full disk; an older file is as it was.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: pathlib.Path) -> None:
    """Make the name of a new file last, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
