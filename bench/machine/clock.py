"""The time of day, as run files keep it."""

import datetime


def now(timespec: str = "seconds") -> str:
    """Return the time in UTC as ISO 8601; `timespec` is that of `datetime.datetime.isoformat`."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
