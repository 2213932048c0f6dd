"""The frame of pairs of sides: the same cases on two machines or two versions of the software, a row a case."""

import itertools
import math
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from reports.chapters.sides import judging
from reports.figures.chart import Source
from reports.style.columns import Column, estimate, words
from reports.style.rows import each
from reports.style.units import TIMES
from reports.style.views import IMAGE_WORK, axes_texts, axis_text
from reports.style.words import MARGIN_TEXT
from results.analysis.compare import compare
from results.analysis.differences import same_hardware
from results.schema.axes import AXES, is_silent
from results.statistics.margin import MARGIN
from results.storage.reader import Records
from results.text import printable

MOST_SIDES: Final = 10
"""The most sides that are paired, those with the most cases: 45 pairs."""
OVER: Final = "\N{DIVISION SIGN}"
SAME: Final = "same setting"
BEST: Final = "each at its best"
MACHINE: Final = tuple(name for name, axis in AXES.items() if axis.role == "machine")
KEYS: Final = tuple(name for name in AXES if name not in MACHINE)
"""On what cases of different hardware match; of several devices or threads, the fastest stands for its side."""
BEST_KEYS: Final = ("model", *IMAGE_WORK)
"""On what they match where no case is the same: the fastest of the others stands for its side."""
FAILED: Final = ("failed on a", "failed on b")
"""Reasons of a case that failed on a side."""
BOTH: Final = "failed on both"
UNKNOWN: Final = "no interval"
MISSING: Final = "no throughput"
OTHER_SETTINGS: Final = "other settings"
_REASONS: Final = {
    UNKNOWN: "at least one side has no interval, or both have intervals without width",
    MISSING: "at least one side has no throughput",
    "inconclusive": f"the interval, corrected for the number of cases, reaches over the margin of {MARGIN_TEXT}",
}
_SIDE: Final = ("setting", "failure", "throughput", "low", "high")
"""Columns that each side has."""
_MERGED: Final = (*_SIDE, "degrees")
"""Columns of each side that a verdict needs."""
_RATIO: Final = ("ratio", "ratio_low", "ratio_high")
_COLUMNS: Final = (
    *("pair", "a", "b", "matched", "family"),
    *KEYS,
    *(f"{side}_{what}" for side in "ab" for what in _SIDE),
    *_RATIO,
    *("verdict", "significant", "reason"),
)

PAIR_COLUMNS: Final[dict[str, Column]] = {
    "a": words("a", "a"),
    "b": words("b", "b"),
    "a_setting": words("setting on a", "a_setting"),
    "b_setting": words("setting on b", "b_setting"),
    "a_throughput": estimate("throughput on a", "a_throughput", "img/s", ends="a"),
    "b_throughput": estimate("throughput on b", "b_throughput", "img/s", ends="b"),
    "ratio": estimate("b over a", "ratio", TIMES),
    "verdict": words("b is", "verdict"),
}
"""Columns of pairs."""


class PairView(Protocol):
    """A row of the frame of pairs; missing numbers are NaN."""

    pair: str
    a: str
    b: str
    matched: str
    model: str
    task: str
    image_size: int | str
    in_channels: int
    head: str
    a_setting: str
    b_setting: str
    ratio: float
    ratio_low: float
    ratio_high: float
    verdict: str
    reason: str | None


def pairs(source: Source) -> pd.DataFrame:
    """Return a row for each case that both sides of a pair have, failed cases included.

    ``ratio`` is the throughput of side ``b`` over that of side ``a``: above 1, b is faster. On the same hardware its
    95 % interval and its verdict are those of `results.compare`. On different hardware the interval combines both
    latencies' intervals (the half-widths add in squares, in logs), and the verdict says whether the ratio lies beyond
    the margin, with the correction of `results.compare` for the number of cases of the pair.
    """
    cases = source.cases
    largest = cases["machine"].value_counts().head(MOST_SIDES).index
    paired = cases[cases["machine"].isin(largest)]
    paired = paired.assign(degrees=judging.degrees(source.study.records, paired))
    sides = {str(name): _side(rows) for name, rows in paired.groupby("machine", sort=False)}
    files = {name: side_records(source, name) for name in sides}
    frames = []
    for a, b in itertools.combinations(sides, 2):
        shared = not set(sides[a]["device"]).isdisjoint(sides[b]["device"])
        alike = shared and same_hardware(files[a], files[b])
        rows, matched = _matched(sides[a], sides[b], list(AXES) if alike else list(KEYS))
        if rows.empty:
            continue
        rows = _ratios(rows, a, b)
        if alike and matched == SAME:
            rows = _judged(rows, files[a], files[b])
        elif alike:  # `compare` cannot judge cases of other settings
            rows = rows.assign(verdict=rows["verdict"].where(rows["verdict"].isin([*FAILED, BOTH]), OTHER_SETTINGS))
        significant = rows["verdict"].isin(["faster", "slower"])
        frames.append(
            rows.assign(pair=f"{b} {OVER} {a}", a=a, b=b, matched=matched, significant=significant, alike=alike)
        )
    if not frames:
        return pd.DataFrame(columns=list(_COLUMNS)).astype(dict.fromkeys(_RATIO, "float64"))
    # The most informative pair first: of the same settings, of different machines, of many cases.
    frames.sort(key=lambda rows: (rows["matched"].iloc[0] == BEST, rows["alike"].iloc[0], -len(rows)))
    return pd.concat(frames, ignore_index=True)[list(_COLUMNS)]


def side_records(source: Source, side: str) -> Records:
    """Return the runs of a side, which may hold cases of other devices too."""
    runs = {run for (run, _), machine in source.machines.items() if machine == side}
    return source.study.part(
        {file.run.id for file in source.study.records.files if printable(file.run.id) in runs}
    ).records


def _side(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what is compared of one side's cases, the fastest first and those that failed last."""
    varied = [axis for axis in MACHINE if len(set(rows[axis])) > 1]
    axes = [*(axis for axis in KEYS if axis not in BEST_KEYS), *varied]
    columns = zip(*(rows[axis] for axis in axes), strict=True)
    sound = rows["status"].eq("ok")
    causes = zip(rows["status"], rows["cause"], strict=True)
    made = pd.DataFrame(
        {
            "setting": [
                " · ".join(
                    axis_text(axis, value)
                    for axis, value in zip(axes, values, strict=True)
                    if not is_silent(axis, value)
                )
                for values in columns
            ],
            "failure": ["" if status == "ok" else f"{status} ({cause})" for status, cause in causes],
            "throughput": rows["throughput_img_per_s"].where(sound),
            "low": (rows["batch_size"] / rows["latency_high_s"]).where(sound),
            "high": (rows["batch_size"] / rows["latency_low_s"]).where(sound),
        },
        index=rows.index,
    )
    return (
        rows[[*AXES, "family", "run", "degrees"]].join(made).sort_values("throughput", ascending=False, kind="stable")
    )


def _matched(a: pd.DataFrame, b: pd.DataFrame, keys: list[str]) -> tuple[pd.DataFrame, str]:
    """Return the matched cases of both sides, and the columns on which they match."""
    same = _merged(a, b, keys)
    if not same.empty:
        return same, SAME
    sound = [side[side["throughput"].notna()] for side in (a, b)]
    best = _merged(sound[0], sound[1], list(BEST_KEYS))
    return best.assign(**dict.fromkeys(name for name in KEYS if name not in BEST_KEYS)), BEST


def _merged(a: pd.DataFrame, b: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    left, right = (
        side.drop_duplicates(keys)[[*keys, "family", *_MERGED]].rename(
            columns={what: f"{name}_{what}" for what in _MERGED}
        )
        for name, side in zip("ab", (a, b), strict=True)
    )
    return left.drop(columns="family").merge(right, on=keys)


def _ratios(rows: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Add the ratio of the throughputs, its interval and the verdict."""
    ratio: Any = rows["b_throughput"] / rows["a_throughput"]
    halves: list[Any] = [np.log(rows[f"{side}_high"] / rows[f"{side}_low"]) / 2 for side in "ab"]
    spread: Any = np.exp(np.hypot(*halves))
    low, high = ratio / spread, ratio * spread
    parts = [zip(half, rows[f"{side}_degrees"], strict=True) for side, half in zip("ab", halves, strict=True)]
    differences = [judging.difference(value, sides) for value, *sides in zip(ratio, *parts, strict=True)]
    beyond = np.array(judging.significant(differences), dtype=bool)
    floor, roof = 1 / (1 + MARGIN), 1 + MARGIN
    failed = [rows[f"{side}_failure"].ne("") for side in "ab"]
    verdict = np.select(
        [
            failed[0] & failed[1],
            *failed,
            ratio.isna(),
            [difference is None for difference in differences],
            beyond & (ratio > 1),
            beyond & (ratio < 1),
            (low > floor) & (high < roof),
        ],
        [BOTH, *FAILED, MISSING, UNKNOWN, "faster", "slower", "same"],
        "inconclusive",
    )
    failures = [
        f"{a}: {before}" if before else f"{b}: {after}"
        for before, after in zip(rows["a_failure"], rows["b_failure"], strict=True)
    ]
    reasons: list[Any] = [
        failure if word in {*FAILED, BOTH} else _REASONS.get(word)
        for word, failure in zip(verdict, failures, strict=True)
    ]
    return rows.assign(ratio=ratio, ratio_low=low, ratio_high=high, verdict=verdict, reason=reasons)


def _judged(rows: pd.DataFrame, a: Records, b: Records) -> pd.DataFrame:
    """Replace ratios and verdicts by the results of `results.compare`, whose ratios are of latencies."""
    judged = {
        (printable(compared.case.model), *(getattr(compared.case, axis) for axis in tuple(AXES)[1:])): compared
        for compared in compare(a, b).cases
        if compared.ratio is not None
    }
    verdicts = [judged.get(key) for key in rows[list(AXES)].itertuples(index=False, name=None)]
    chosen = [row.ratio > 0 and new is not None for row, new in zip(each(rows), verdicts, strict=True)]

    def turned(column: str, name: str) -> list[Any]:
        """Return the reciprocals of a field of the comparison."""
        values = [getattr(new, name) if new else None for new in verdicts]
        return [
            (math.nan if value is None else 1 / value) if use else old
            for use, value, old in zip(chosen, values, rows[column], strict=True)
        ]

    words: list[tuple[Any, Any]] = [
        (new.verdict, new.reason) if use and new else (old, why)
        for use, new, old, why in zip(chosen, verdicts, rows["verdict"], rows["reason"], strict=True)
    ]
    return rows.assign(
        ratio=turned("ratio", "ratio"),
        ratio_low=turned("ratio_low", "high"),
        ratio_high=turned("ratio_high", "low"),
        verdict=[word for word, _ in words],
        reason=[why for _, why in words],
    )


def work(row: PairView) -> list[str]:
    """Return what a row's model computes for an image, an axis each: ``inference``, ``224 px``."""
    return axes_texts(row, IMAGE_WORK)


def with_ratio(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the cases that have a throughput on both sides."""
    return frame[frame["ratio"].notna()]
