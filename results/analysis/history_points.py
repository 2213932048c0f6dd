"""A point of a history: a case in a run."""

import dataclasses
import datetime
import math
from typing import Any, Final

from results.metrics.rows import Row
from results.metrics.warnings import WRONG, RecordWarning, wrong_result

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2999


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A case in a run."""

    run: str
    started: str
    """ISO 8601, UTC."""
    latency_s: float | None
    """Geometric mean over the run's replicates; None where it does not count, and `cause` says why."""
    low: float | None
    """95 % interval of the latency in seconds, across replicates or within a single replicate."""
    high: float | None
    status: str
    """Status of the record; ``wrong`` for a wrong result, ``implausible`` for a number that breaks its label."""
    cause: str | None
    noisy: tuple[str, ...]
    """Signs of noise in the run's records, by the names of `results.metrics.warnings.NOISES`."""
    segment: int | None
    """Number of changes up to the point; None without a latency."""
    level_s: float | None
    """Typical latency of the runs of its segment."""
    commit: str | None
    """Commit of the code, with ``-dirty`` where it had changes that were not committed; None where it is unknown."""


def point_of(row: Row, date: datetime.datetime, commit: str | None) -> Point:
    """Return the point of a row of `results.table` in a run of that date and commit.

    The row is as `results.metrics.rows.plain` gives it, and its ``usable`` is that of `Study.usable`.
    """
    latency, low, high = (_number(row[name]) for name in ("latency_s", "latency_low_s", "latency_high_s"))
    status, cause = _status(row)
    if cause is not None:
        latency = None
    elif latency is None:
        cause = str(row["nulls"].get("latency_s", "no latency is recorded"))
    return Point(
        run=row["run"],
        started=date.isoformat(timespec="seconds").replace("+00:00", "Z"),
        latency_s=latency,
        low=None if latency is None else low,
        high=None if latency is None else high,
        status=status,
        cause=cause,
        noisy=tuple(sorted({warning.kind for warning in map(RecordWarning.parse, row["warnings"]) if warning.noise})),
        segment=None,
        level_s=None,
        commit=commit,
    )


def _status(row: Row) -> tuple[str, str | None]:
    """Return the status of a point, and why its latency does not count, if it does not."""
    warnings = list(map(RecordWarning.parse, row["warnings"]))
    if row["usable"]:
        doubt = next((warning for warning in warnings if not warning.tolerated), None)
        return ("ok", None) if doubt is None else ("implausible", str(doubt))
    if row["status"] != "ok":
        return row["status"], row["cause"] or "no cause given"
    return (WRONG, str(wrong_result(warnings))) if row["equality"] == WRONG else ("ok", None)


def _number(value: Any) -> float | None:
    """Return the value if it is finite and above 0, else None: an imported table may hold any number."""
    return float(value) if value is not None and 0 < value < math.inf else None


def date_of(text: str | None) -> datetime.datetime | None:
    """Return a date of ISO 8601 in UTC; None for other text, and for years before 1970 or after 2999."""
    try:
        date = datetime.datetime.fromisoformat(text or "")
        date = date.astimezone(datetime.UTC) if date.tzinfo else date.replace(tzinfo=datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return date if _FIRST_YEAR <= date.year <= _LAST_YEAR else None
