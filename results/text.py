"""Numbers and foreign text as text: significant digits, escapes of hidden characters, and CSV."""

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

SIGNIFICANT: Final = 3
"""Digits of a value that has no interval."""
FINEST: Final = 1e-4
"""Least relative half-width for rounding: a narrower interval (few samples, a coarse clock) would give many digits."""
UNKNOWN: Final = "unknown"
"""Text of a half-width with which the interval is wider than the number itself."""
REMEDY: Final = "more replicates (--replicates) or a quieter machine"
"""What makes intervals across replicates narrower."""
UNKNOWN_MEANING: Final = f"{UNKNOWN}: the 95 % interval is wider than the number itself; it takes {REMEDY}"
_LEAST: Final = 1e-100
"""`round` cannot handle the digits of a smaller or a larger float, and no quantity is one."""
_MOST: Final = 1e100
FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters of text that a spreadsheet may read as a formula (OWASP, "CSV Injection"); the last four are the
same in full width. OWASP also names tab and line ends, which `printable` escapes."""

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of characters that control a terminal, reorder text, break lines or are invisible."""
_SHOWN: Final = re.compile(r"[\x20-\x7e\xa0\xb0-\xff\u2010-\u2026\u2190-\u22ff]*")
"""Text without hidden characters: ASCII, Latin 1 with its no-break space, dashes, arrows, operators."""
_ESCAPE: Final = re.compile(
    r"\\(?:([\\nrt])|x([0-9a-f]{2})|u([0-9a-f]{4})|U((?:000[0-9a-f]|0010)[0-9a-f]{4}))",
)
"""Escapes that `printable` writes for hidden characters, and `csv_text` for backslashes."""


def digits(value: float, relative: float | None) -> str:
    """Return `value` rounded to the first digit of its half-width: 98.7 ± 2 % is ``99``.

    `relative` is the half-width of the interval as a fraction; None gives three significant digits. The first digit of
    the value always remains, however wide its interval.
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if not _LEAST < abs(value) < _MOST or (relative is not None and not relative < _MOST):
        return f"{value:.{SIGNIFICANT - 1}e}"
    first = _decade(value)
    if relative is None:
        last = first - SIGNIFICANT + 1
        last += _decade(round(value, -last)) - first  # 9.996 becomes 10.0
    else:
        last = min(_decade(max(relative, FINEST) * value), first)
    return f"{round(value, -last):.{max(-last, 0)}f}"


def half_width(value: float, low: float, high: float) -> float:
    """Return the larger half of the interval as a fraction of `value`: a skewed interval must not look tighter."""
    return max(high - value, value - low) / value


def is_unknown(half: float) -> bool:
    """Return whether an interval of this half-width, a fraction, is wider than the number itself: it says nothing."""
    return not 2 * half <= 1  # NaN says nothing either


def percent(share: float) -> str:
    """Return a share in percent with two digits: ``0.83``; ``<0.01`` for less than the digits that are justified."""
    return f"<{100 * FINEST:g}" if share < FINEST else digits(100 * share, 0.1)


def half_text(half: float | None) -> str:
    """Return a half-width in percent: ``0.83``, `UNKNOWN` for an interval that says nothing, ``-`` for None."""
    return "-" if half is None else UNKNOWN if is_unknown(half) else percent(half)


def within(half: float) -> str:
    """Return a half-width as ``± 0.83 %``; ``± unknown`` for an interval that says nothing."""
    return f"± {UNKNOWN}" if is_unknown(half) else f"± {percent(half)} %"


def span_text(value: float, low: float, high: float, decimals: int) -> str:
    """Return the ends of an interval, `UNKNOWN` for an interval that says nothing."""
    return UNKNOWN if is_unknown(half_width(value, low, high)) else f"{low:.{decimals}f} to {high:.{decimals}f}"


def printable(text: str) -> str:
    """Return `text` with control and invisible characters escaped, so that it cannot affect a terminal or a page."""
    if _SHOWN.fullmatch(text):  # nearly all text
        return text
    return "".join(
        char.encode("unicode_escape").decode("ascii") if unicodedata.category(char) in _HIDDEN else char
        for char in text
    )


def csv_text(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return CSV, ending in a newline, without loss of values and safe to open in a spreadsheet.

    Numbers are exact, None is empty, lists and dicts are ASCII JSON, and `csv_value` reads text back: hidden characters
    and the backslash are escaped, and an apostrophe precedes text that begins with an apostrophe, that a spreadsheet
    could read as a formula, or that is empty.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue()


def csv_value(cell: str) -> str | None:
    """Return the text that `csv_text` wrote as `cell`, None for an empty cell.

    Cells of other programs, without a leading apostrophe and without backslashes, are returned unchanged.
    """
    return _ESCAPE.sub(_unescaped, cell.removeprefix("'")) if cell else None


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value).replace("\x7f", "\\u007f")  # the one hidden character that JSON leaves in ASCII
    if not isinstance(value, str):
        return value
    text = printable(value.replace("\\", "\\\\"))
    return f"'{text}" if not text or text.startswith(("'", *FORMULA)) else text


def _unescaped(match: re.Match[str]) -> str:
    named, code = match.group(1), match.group(2) or match.group(3) or match.group(4)
    return {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}[named] if named else chr(int(code, 16))


def _decade(value: float) -> int:
    """Return the power of ten of the first digit: 1 for 12.3, -1 for 0.2."""
    return math.floor(math.log10(abs(value)))
