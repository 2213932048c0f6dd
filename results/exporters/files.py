"""The result of an exporter: the content of a file, or of several files."""

import dataclasses
from pathlib import Path
from typing import Final, TypeAlias

SINGLE: Final = ""
"""The part of an export that is one file."""
Parts: TypeAlias = dict[str, str | bytes]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The content of an export, and notes on omitted cases."""

    parts: Parts
    """Text or bytes by the part's name: `SINGLE`, or the suffix of each file's name."""
    left_out: tuple[str, ...] = ()
    """A line for a person about each kind of omitted case."""

    def content(self, part: str = SINGLE) -> bytes:
        """Return the bytes of the file of `part`; text is UTF-8."""
        content = self.parts[part]
        return content.encode() if isinstance(content, str) else content

    def paths(self, path: Path) -> dict[str, Path]:
        """Return the path of each part: `path` itself, or ``out-bigger.json`` and so on for ``out`` or ``out.json``."""
        if set(self.parts) == {SINGLE}:
            return {SINGLE: path}
        return {part: path.with_name(f"{path.name.removesuffix('.json')}-{part}.json") for part in self.parts}
