"""Markdown for GitHub: text without links and notifications, in documents below the size limit of a comment.

GitHub turns more than Markdown into links, some after rendering: names after ``@`` (who are notified), numbers
after ``#`` or ``GH-`` (whose issues show the mention), commit hashes and addresses. A zero-width space inside breaks
each of them.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Final

from reports.text.grid import markdown_escaped

LIMIT: Final = 65_000
"""Bytes of UTF-8 in a document: GitHub refuses comments above 65,536 characters, and a caller may add a line."""
LONGEST: Final = 300
"""The most characters of a text from a file; a cause may have thousands."""

_NOTHING: Final = "&#8203;"
_LIVE: Final = re.compile(
    r"(?P<mention>[@#$])"  # also dollars, which would begin a formula
    r"|(?P<issue>\bGH)(?=-\d)"
    r"|(?P<address>:)(?=//)|(?P<site>\bwww)(?=\.)|(?P<protocol>\b(?:mailto|xmpp))(?=:)"
    r"|(?P<hash>\b(?=\d*[a-f])[0-9a-f]{4})(?=[0-9a-f]{3,}\b)",
    re.IGNORECASE,
)
_RESERVED: Final = 100
"""Bytes of the line on omitted lines."""


def escaped(text: str) -> str:
    """Return a line of text, cut to `LONGEST`, that GitHub shows as it is: without markup, links and mentions."""
    line = " ".join(text.split())
    cut = line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
    return _LIVE.sub(rf"\g<0>{_NOTHING}", markdown_escaped(cut))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Lines of a kind, of which the document shows as many as fit."""

    what: str
    """Noun for the lines, in the plural."""
    before: str = ""
    lines: Iterable[str]
    """Markdown, each ending in a newline; lines that do not fit are not read."""
    count: int
    """Number of lines."""
    after: str = ""
    rank: int
    """Order in which parts get room, the lowest first."""


def fitted(head: str, parts: Sequence[Part], limit: int = LIMIT) -> str:
    """Return `head` and the parts that have lines, in their order, in at most `limit` bytes.

    Lines that do not fit are left out and counted.

    Raises:
        ValueError: the head and the frames of the parts alone are longer (a bug of the caller).
    """
    shown = [part for part in parts if part.count]
    room = limit - _size(head) - sum(_size(part.before + part.after) + _RESERVED for part in shown)
    if room < 0:
        raise ValueError(f"{limit} bytes are not enough for the head and {len(shown)} frames")
    texts: dict[int, str] = {}
    for index, part in sorted(enumerate(shown), key=lambda item: item[1].rank):
        lines: list[str] = []
        for line in part.lines:
            if _size(line) > room:
                break
            room -= _size(line)
            lines.append(line)
        missing = part.count - len(lines)
        note = f"\n{missing:,} more {part.what} are left out, as there is no room for them here.\n" if missing else ""
        texts[index] = part.before + "".join(lines) + note + part.after
    return head + "".join(texts[index] for index in range(len(shown)))


def folded(summary: str) -> tuple[str, str]:
    """Return the beginning and the end of a fold, with an escaped `summary`."""
    return f"\n<details><summary>{summary}</summary>\n\n", "\n</details>\n"


def row(cells: Iterable[str]) -> str:
    """Return the line of a table, its cells escaped."""
    return f"| {' | '.join(escaped(cell) for cell in cells)} |\n"


def table_head(heads: Sequence[str], *, numbers_from: int, numbers_to: int) -> str:
    """Return the first two lines of a table; columns of `numbers_from` up to `numbers_to` are set flush right."""
    numbers = range(len(heads))[numbers_from:numbers_to]
    rule = ["---:" if index in numbers else "---" for index in range(len(heads))]
    return f"{row(heads)}| {' | '.join(rule)} |\n"


def _size(text: str) -> int:
    return len(text.encode())
