"""The sentence on depth and training error: do deeper networks train worse (He et al. 2015, figures 1 and 6)?"""

import re
from collections.abc import Iterator
from typing import Final

import pandas as pd

from reports.chapters.convergence.drawing import last_values
from reports.style.words import joined, percent_text
from results.statistics.seeds import Bracket, contrast

_NAMED: Final = re.compile(r"(.*?)(\d+)")
"""Family and depth in the name of a variant, such as ``cifar_plain20``."""


def of_errors(frame: pd.DataFrame) -> str:
    """Return the sentences on the last training errors, of shallow and deep networks of a family where there are."""
    said = [sentence for pair in _pairs(frame) for sentence in [_of_pair(*pair)]]
    if said:
        return " ".join(said)
    ends = [
        f"{name} ends at {percent_text(sum(values) / len(values))}"
        for name, rows in frame.groupby("series", sort=False)
        if (values := last_values(rows, "train_error"))
    ]
    return f"{joined(ends)} training error." if ends else "No training came to its end."


def _pairs(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yield the shallowest and the deepest network of each family that were trained alike: plain networks first."""
    families: dict[tuple[str, str, str], dict[int, pd.DataFrame]] = {}
    for _, rows in frame.groupby("series", sort=False):
        first = rows.iloc[0]
        named = _NAMED.fullmatch(str(first["model"]))
        if named is not None and last_values(rows, "train_error"):
            key = (named[1], str(first["recipe"]), str(first["machine"]))
            families.setdefault(key, {})[int(named[2])] = rows
    for (family, *_), depths in sorted(families.items(), key=lambda item: ("plain" not in item[0][0], item[0])):
        if len(depths) > 1:
            yield family, depths[min(depths)], depths[max(depths)]


def _of_pair(family: str, shallow: pd.DataFrame, deep: pd.DataFrame) -> str:
    """Return whether the deeper network has the higher training error, as far as the seeds show it."""
    errors = [last_values(rows, "train_error") for rows in (shallow, deep)]
    means = [sum(values) / len(values) for values in errors]
    names = [str(rows["model"].iloc[0]) for rows in (shallow, deep)]
    kind = "plain" if "plain" in family else "residual"
    numbers = f"{names[1]} ends at {percent_text(means[1])} training error, {names[0]} at {percent_text(means[0])}"
    direction = _direction(*errors)
    if direction == "":
        return f"Whether the deeper {kind} network trains worse is not shown: {numbers}."
    which = "trains worse" if direction == "more" else "trains better"
    alone = ", with a single seed" if min(map(len, errors)) < 2 else ""
    return f"The deeper {kind} network {which}{alone}: {numbers}."


def _direction(shallow: list[float], deep: list[float]) -> str:
    """Return ``more`` or ``less`` error of the deeper network; empty where the 95 % interval holds no difference."""
    if min(len(shallow), len(deep)) < 2:
        difference = deep[0] - shallow[0]
        return "more" if difference > 0 else "less" if difference < 0 else ""
    sides = [[Bracket(low=value, value=value, high=value) for value in values] for values in (shallow, deep)]
    interval = contrast(sides[0], sides[1], 0.0).interval
    if interval is None or interval.low <= 0 <= interval.high:
        return ""
    return "more" if interval.value > 0 else "less"
