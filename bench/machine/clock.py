"""The time of day in the format of run files."""

import datetime


def now(timespec: str = "seconds") -> str:
    """Return the time in UTC as ISO 8601; `timespec` is passed to `datetime.datetime.isoformat`."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
