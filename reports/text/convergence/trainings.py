"""The table of trainings as text: a row for each recipe on a network, with its seeds together."""

import math
from collections.abc import Sequence
from typing import Any, Final

from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.convergence.curves import Curve, curves
from results.analysis.convergence.frames import trainings
from results.metrics.rows import Row, json_text, plain, table_csv
from results.schema.axes import AXES
from results.storage.reader import Records
from results.text import digits, half_width, within

_ALWAYS: Final = ("model", "recipe", "data")
_MEANINGS: Final = {
    "seeds": "± of an accuracy: the 95 % interval of the mean over seeds, in percentage points",
    "images": "± of one seed: the 95 % binomial interval of its validation images; another seed may differ by more",
}


def trainings_text(records: Records, fmt: str, accuracy: float | None = None) -> str:
    """Return the trainings as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline; empty without any.

    Args:
        records: the records.
        fmt: the format; ``json`` and ``csv`` hold `results.trainings`, exact and in SI units.
        accuracy: the accuracy to which times are shown; by default one that every finished training reached.

    Raises:
        InputError: The format does not exist, or the accuracy is not above 0 and at most 1.
    """
    check_format(fmt)
    frame = trainings(records, accuracy)
    if frame.empty:
        return ""
    if fmt == "json":
        return json_text(plain(frame))
    if fmt == "csv":
        return table_csv(frame)
    rows = plain(frame)
    varying = [name for name in ("machine", *AXES) if name not in _ALWAYS and len({row[name] for row in rows}) > 1]
    heads = [*_ALWAYS, *varying, "seeds", "accuracy %", *_TIMES, "img/s", "total s", "data", "val.", "peak MB"]
    cells = [[*(str(row[name]) for name in (*_ALWAYS, *varying)), *_numbers(row)] for row in rows]
    grid = grid_text(heads, cells, fmt, numbers_from=len(_ALWAYS) + len(varying))
    return grid + lines_text(["", *_remarks(rows, curves(records))], fmt)


_TIMES: Final = ("reached", "time to it s", "median s")


def accuracy_points(row: Row) -> str:
    """Return a final accuracy in percent with the half-width of its interval in points: ``93.13 ± 0.05``."""
    value, low, high = (row[f"accuracy{end}"] for end in ("", "_low", "_high"))
    if value is None:
        return "-"
    if low is None:
        return f"{100 * value:.2f}"
    return f"{100 * value:.2f} ± {100 * max(high - value, value - low):.2f}"


def seconds_text(value: float | None, low: float | None, high: float | None) -> str:
    """Return seconds with the digits that their interval justifies; ``-`` for None."""
    if value is None:
        return "-"
    if low is None or high is None:
        return digits(value, None)
    half = half_width(value, low, high)
    return f"{digits(value, half)} {within(half)}"


def _numbers(row: Row) -> list[str]:
    seeds = str(row["seeds"]) if row["finished"] == row["seeds"] else f"{row['finished']} of {row['seeds']}"
    reached = "-"
    if row["target"] is not None:
        reached = f"{row['reached']} of {row['seeds']} ≥ {100 * row['target']:g} %"
    busy = sum(row[name] or 0.0 for name in ("data_s", "compute_s", "validation_s"))
    shares = [_share(row[name], busy) for name in ("data_s", "validation_s")]
    memory = row["peak_memory_bytes"]
    return [
        seeds,
        accuracy_points(row),
        reached,
        seconds_text(row["time_s"], row["time_low_s"], row["time_high_s"]),
        _plain_number(row["median_s"]),
        _plain_number(row["images_per_s"]),
        _plain_number(row["seconds"]),
        *shares,
        _plain_number(None if memory is None else memory / 1e6),
    ]


def _share(part: float | None, whole: float) -> str:
    return "-" if part is None or not whole else f"{100 * part / whole:.0f} %"


def _plain_number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else digits(value, None)


def _remarks(rows: Sequence[Row], made: Sequence[Curve]) -> list[str]:
    """Return what the columns mean, what was expected, and the ends of trainings that their recipe did not end."""
    lines = [meaning for name, meaning in _MEANINGS.items() if any(row["interval"] == name for row in rows)]
    lines.append(
        "time to it: seconds until the end of the first epoch with that accuracy, the geometric mean where all seeds "
        "reached it; data, val.: shares of the time"
    )
    expected: dict[Any, None] = {
        f"{row['recipe']}: {100 * row['expected_accuracy']:g} % expected ({row['expected_source']})": None
        for row in rows
        if row["expected_accuracy"] is not None
    }
    lines += [str(line) for line in expected]
    for curve in made:
        if curve.final is None or curve.cut_short:
            training = curve.training
            cause = f": {curve.end.cause}" if curve.end is not None and curve.end.cause else ""
            lines.append(f"{training.case.model} with {training.recipe}, seed {training.seed}: {curve.status}{cause}")
    notes = dict.fromkeys(note for curve in made for note in curve.training.notes)
    return [*lines, *(f"warning: {note}" for note in notes)]
