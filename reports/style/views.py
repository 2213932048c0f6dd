"""Comparable cases side by side: which rows may share a chart, and what to call such a set of rows."""

import dataclasses
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import pandas as pd

from reports.style.units import number

WORKLOAD: Final = ("task", "batch_size", "image_size")
"""What a model was given to do."""
CONDITIONS: Final = ("machine", *WORKLOAD, "device", "threads")
"""What must be equal for two cases to be compared at all."""
SETTING: Final = ("precision", "runtime", "layout")
"""What may be chosen to make a model faster."""
AXES: Final = (*CONDITIONS, *SETTING)
BASELINE: Final = ("fp32", "eager", "nchw")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One choice of a chart: a set of comparable rows and what tells it from the chart's other views."""

    label: str
    frame: pd.DataFrame


def axis_text(axis: str, value: Any) -> str:
    """Return an axis value as a reader names it: ``batch 8``, ``224 px``, ``2 threads``, ``nhwc``."""
    if axis == "threads":
        if number(value) is None:
            return "unknown threads"
        return f"{value:.0f} thread{'' if value == 1 else 's'}"
    return {"batch_size": "batch {}", "image_size": "{} px"}.get(axis, "{}").format(value)


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """Return the rows of `frame` as objects whose attributes are the columns.

    On a wide frame of few rows pandas' own `itertuples` takes ten times as long.
    """
    columns = [str(column) for column in frame.columns]
    return (SimpleNamespace(**dict(zip(columns, row, strict=True))) for row in frame.to_numpy(dtype=object))


def throughput_bounds(row: Any) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a row's throughput: the latency's, turned round."""
    low, high = number(row.latency_low_s), number(row.latency_high_s)
    return (row.batch_size / high if high else None, row.batch_size / low if low else None)


def setting(row: Any) -> str:
    """Return a row's precision, runtime and layout: ``fp32 · eager · nchw``."""
    return " · ".join(str(getattr(row, axis)) for axis in SETTING)


def is_baseline(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return for each row whether it is its group's baseline: fp32, eager, nchw."""
    return frame[list(SETTING)].eq(list(BASELINE)).all(axis=1)


def constants(frame: pd.DataFrame, axes: tuple[str, ...]) -> dict[str, Any]:
    """Return those of `axes` that have one and the same value in every row, with that value."""
    return {axis: frame[axis].iloc[0] for axis in axes if len(set(frame[axis])) == 1}


def constants_text(found: dict[str, Any]) -> str:
    """Return what `constants` found in words: ``inference · batch 8 · cpu``."""
    return " · ".join(axis_text(axis, value) for axis, value in found.items() if value is not None)


def split(frame: pd.DataFrame, by: tuple[str, ...], least: int = 2, *, ordered: bool = False) -> tuple[View, ...]:
    """Split `frame` into sets of rows that are equal on all of `by`: the most telling first, or as they are `ordered`.

    Sets of fewer than `least` rows compare nothing and are left out, unless there are no others.
    """
    if frame.empty:
        return ()
    common = constants(frame, by)
    groups = [(values, rows) for values, rows in frame.groupby(list(by), sort=False, dropna=False)]
    useful = [group for group in groups if len(group[1]) >= least] or groups

    def rank(group: tuple[Any, Any]) -> tuple[Any, ...]:
        first = group[1].iloc[0]
        usual = tuple(first.get(axis) for axis in SETTING) == BASELINE
        rates = group[1].get("throughput_img_per_s")
        typical = 0.0 if rates is None or rates.isna().all() else float(rates.median())
        # Of what is alike in all else the faster machine: what it does is what a reader looks for.
        return (-len(group[1]), first.get("task") == "training", not usual, -first.get("batch_size", 0), -typical)

    return tuple(
        View(
            label=" · ".join(
                axis_text(axis, value) for axis, value in zip(by, values, strict=True) if axis not in common
            ),
            frame=rows,
        )
        for values, rows in (useful if ordered else sorted(useful, key=rank))
    )
