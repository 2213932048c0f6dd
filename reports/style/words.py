"""Parts of generated sentences: counts, lists, shares, and cases."""

from typing import Any, Final

import pandas as pd

from reports.style.rows import CaseView, each
from reports.style.units import SPACE, quantity
from reports.style.views import axes_texts, setting, throughput_bounds
from results.schema.axes import AXES, SETTINGS, WORKLOAD, is_silent
from results.schema.case import Case
from results.statistics.margin import MARGIN

WRONG_RESULT: Final = "wrong result"
"""Status of a case that ended well but computed something else than its baseline."""


def first_row(frame: pd.DataFrame) -> Any:
    """Return the first row of `frame`."""
    return next(each(frame))


def extreme(frame: pd.DataFrame, column: str, *, largest: bool) -> Any:
    """Return the row with the largest or the smallest value in `column`, the first by name of equal rows."""
    return first_row(frame.sort_values([column, "model"], ascending=[not largest, True]))


def joined(words: list[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return ``1 case`` or ``1,234 cases``; `many` is the plural of a noun that takes more than an s."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def percent_text(share: float, digits: int = 2) -> str:
    """Return a share as ``80.86 %``."""
    return f"{100 * share:.{digits}f}{SPACE}%"


MARGIN_TEXT: Final = percent_text(MARGIN, 0)
"""The margin as text."""


def throughput_text(row: CaseView) -> str:
    """Return a row's images a second, with the digits that its interval justifies."""
    return quantity(row.throughput_img_per_s, "img/s", *throughput_bounds(row))


def workload_text(row: CaseView) -> str:
    """Return the workload of a row: ``inference · batch 8 · 224 px``."""
    return " · ".join(axes_texts(row, WORKLOAD))


def conditions_text(row: CaseView) -> str:
    """Return a row's workload and setting: ``inference · batch 8 · 224 px · fp32 · eager · nchw``."""
    return f"{workload_text(row)} · {setting(row)}"


def case_options(case: Case) -> list[str]:
    """Return the words of `resnet-bench run` that measure a case with its baseline."""
    words = []
    for name in AXES:
        value = getattr(case, name)
        if not is_silent(name, value):
            values = [getattr(case.baseline, name), value] if name in SETTINGS else [value]
            words += [f"--{name.replace('_', '-')}", ",".join(map(str, dict.fromkeys(values)))]
    return words
