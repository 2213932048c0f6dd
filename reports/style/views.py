"""Views of charts: sets of comparable rows, and their labels."""

import dataclasses
import re
import zlib
from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

from reports.style.rows import CaseView
from reports.style.units import number
from results.metrics.table import size_type
from results.schema import axes
from results.schema.axes import AXES, BASELINE, COUNTS, SETTINGS, SIZES, WORKLOAD, baseline_text, setting_texts
from results.schema.axes import CONDITIONS as CASE_CONDITIONS
from results.schema.case import OPTIONAL
from results.schema.labels import TASKS

CONDITIONS: Final = ("machine", *CASE_CONDITIONS)
"""Columns that must be equal for two cases to be compared at all."""
CONTEXT: Final = (*CONDITIONS, *SETTINGS)
"""Columns that must be equal for two models to be compared: all axes but the model."""
IMAGE_WORK: Final = tuple(name for name in WORKLOAD if name != "batch_size")
"""Axes of what is computed for an image: two rates in images a second may be compared where they are equal."""
KNOWN_COUNTS: Final = tuple(name for name in COUNTS if name not in OPTIONAL)
"""Axes that are whole numbers in every case."""
UNKNOWN_COUNTS: Final = tuple(name for name in COUNTS if name in OPTIONAL)
"""Axes that are whole numbers, but may be unknown in an imported case."""
BASELINE_TEXT: Final = baseline_text().replace(", ", " · ")
"""The settings of the baseline for people."""

TRAINING: Final = tuple(name for name, task in TASKS.items() if task.trains)
"""Tasks whose steps train the network."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view of a chart: a set of comparable rows, and a label that distinguishes it from the chart's other views."""

    label: str
    frame: pd.DataFrame
    whole: str | None = None
    """Label of the set that was split into groups of machines, the same in the view of each group."""


def axis_text(name: str, value: Any) -> str:
    """Return the value of an axis, or of another column, for people: ``batch 8``, ``224 px``, ``2 threads``."""
    if name not in AXES:
        return str(value)
    if name in COUNTS:
        count = number(value)  # pandas has several values for an unknown number
        return axes.axis_text(name, None if count is None else int(count))
    return axes.axis_text(name, value)


def axis_types(frame: pd.DataFrame) -> dict[str, str]:
    """Return the types of the axes that are numbers in every case of `frame`, by column."""
    return dict.fromkeys(KNOWN_COUNTS, "int64") | {name: size_type(frame[name]) for name in SIZES}


def axes_texts(row: Any, names: Iterable[str]) -> list[str]:
    """Return the values of axes of a row for people, without a default that texts leave out."""
    values = {name: getattr(row, name) for name in names}
    return [axis_text(name, value) for name, value in values.items() if not axes.is_silent(name, value)]


def throughput_bounds(row: CaseView) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a row's throughput: the reciprocals of the latency's interval."""
    low, high = number(row.latency_low_s), number(row.latency_high_s)
    return (row.batch_size / high if high else None, row.batch_size / low if low else None)


def setting(row: Any) -> str:
    """Return the settings of a row of any frame: ``fp32 · eager · nchw``."""
    return " · ".join(setting_texts(row))


def is_baseline(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether each row has the settings of the baseline."""
    return frame[list(BASELINE)].eq(list(BASELINE.values())).all(axis=1)


def constants(frame: pd.DataFrame, columns: tuple[str, ...]) -> dict[str, Any]:
    """Return the columns of `columns` with equal values in all rows, and these values."""
    return {column: frame[column].iloc[0] for column in columns if len(set(frame[column])) == 1}


def constants_text(values: dict[str, Any]) -> str:
    """Return the values of `constants` for people: ``inference · batch 8 · cpu``."""
    said = {column: value for column, value in values.items() if value is not None and not _silent(column, value)}
    return " · ".join(axis_text(column, value) for column, value in said.items())


def _silent(column: str, value: Any) -> bool:
    return column in AXES and axes.is_silent(column, value)


def split(frame: pd.DataFrame, by: tuple[str, ...], least: int = 2, *, ordered: bool = False) -> tuple[View, ...]:
    """Split `frame` into sets of rows that are equal on `by`: the most informative set first, or in order if `ordered`.

    Sets of fewer than `least` rows are left out, unless there are no others.
    """
    if frame.empty:
        return ()
    common = constants(frame, by)
    groups = [(values, rows) for values, rows in frame.groupby(list(by), sort=False, dropna=False)]
    useful = [group for group in groups if len(group[1]) >= least] or groups

    def rank(group: tuple[Any, Any]) -> tuple[Any, ...]:
        first = group[1].iloc[0]
        usual = all(first.get(axis) == value for axis, value in BASELINE.items())
        rates = group[1].get("throughput_img_per_s")
        typical = 0.0 if rates is None or rates.isna().all() else float(rates.median())
        # Of what is alike in all else the faster machine: what it does is what a reader looks for.
        return (-len(group[1]), first.get("task") in TRAINING, not usual, -first.get("batch_size", 0), -typical)

    return tuple(
        View(
            label=" · ".join(
                axis_text(axis, value) for axis, value in zip(by, values, strict=True) if axis not in common
            ),
            frame=rows,
        )
        for values, rows in (useful if ordered else sorted(useful, key=rank))
    )


def of_every_machine(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return `most` rows in the order of `frame`: the first rows of every machine, as many of each as there is room."""
    if len(frame) <= most or "machine" not in frame:
        return frame.iloc[:most]
    turns = frame.groupby("machine", sort=False).cumcount().to_numpy()
    return frame.iloc[sorted(turns.argsort(kind="stable")[:most])]


def slug(text: str) -> str:
    """Return `text` in the alphabet of addresses: letters and digits, joined by hyphens."""
    return "-".join(re.findall(r"[a-z0-9.]+", text.lower()))[:80]


def pair_key(pair: str) -> str:
    """Return the unique key of a pair of sides in an address; a checksum covers the characters that `slug` drops."""
    return f"{slug(pair)[:60]}-{zlib.crc32(pair.encode()):08x}"
