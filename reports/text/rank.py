"""Rankings as text, for people and for programs."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from reports.text.comparison import ms_text, share_text, varying_axes
from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.rank import FAMILY_ALARMS, Ranked, Ranking
from results.metrics.rows import json_text
from results.schema.axes import AXES
from results.text import UNKNOWN, UNKNOWN_MEANING, csv_text, digits, half_text, half_width

_FIELDS: Final = tuple(name for name in Ranked.__dataclass_fields__ if name != "case")
_NEXT: Final = {True: "shown", False: "not shown", None: ""}


def rank_text(rankings: Sequence[Ranking], fmt: str) -> str:
    """Return rankings as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``json`` is a list of objects with all pairs of each ranking; ``csv`` holds a row a case, without the pairs.

    Raises:
        InputError: The format does not exist.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text([_document(ranking) for ranking in rankings])
    if fmt == "csv":
        heads = ["run", "reference", *AXES, *_FIELDS]
        return csv_text(heads, [_row(ranking, ranked) for ranking in rankings for ranked in ranking.cases])
    many = len({ranking.run for ranking in rankings}) > 1
    return lines_text([""], fmt).join(_part(ranking, fmt, many=many) for ranking in rankings)


def _document(ranking: Ranking) -> dict[str, Any]:
    cases = [{"key": ranked.case.key, **msgspec.to_builtins(ranked)} for ranked in ranking.cases]
    return {**msgspec.to_builtins(ranking), "reference": ranking.reference.key, "cases": cases}


def _row(ranking: Ranking, ranked: Ranked) -> list[Any]:
    axes = (getattr(ranked.case, axis) for axis in AXES)
    return [ranking.run, ranking.reference.key, *axes, *(getattr(ranked, name) for name in _FIELDS)]


def _part(ranking: Ranking, fmt: str, *, many: bool) -> str:
    axes = varying_axes([ranked.case for ranked in ranking.cases])
    columns: dict[str, Callable[[Ranked], str]] = {
        "rank": lambda ranked: str(ranked.rank),
        "may be": _range,
        **{AXES[axis].heading: lambda ranked, axis=axis: str(getattr(ranked.case, axis)) for axis in axes},  # type: ignore[misc]
        "relative": lambda ranked: digits(ranked.relative, _half(ranked)),
        "± %": lambda ranked: half_text(_half(ranked)),
        "ms": lambda ranked: ms_text(ranked.latency_s),
        "img/s": lambda ranked: digits(ranked.throughput_img_per_s, None),
        "next is slower": lambda ranked: _NEXT[ranked.next_slower],
    }
    rows = [[cell(ranked) for cell in columns.values()] for ranked in ranking.cases]
    unknown = [UNKNOWN_MEANING] if any(half_text(_half(ranked)) == UNKNOWN for ranked in ranking.cases) else []
    grid = grid_text(list(columns), rows, fmt, numbers_from=2 + len(axes), numbers_to=-1)
    return lines_text([*_above(ranking, axes, many=many), *unknown], fmt) + grid


def _above(ranking: Ranking, axes: Sequence[str], *, many: bool) -> list[str]:
    reference = " ".join(str(getattr(ranking.reference, axis)) for axis in axes)
    shown = sum(pair.verdict == "slower" for pair in ranking.pairs)
    margin = f" by more than {share_text(ranking.margin)}" if ranking.margin else ""
    count = f"{shown:,} of {len(ranking.pairs):,} pairs are shown to differ{margin}"
    tested = f"{count}; the chance of any false alarm among them is at most {share_text(round(FAMILY_ALARMS, 4))}"
    return [
        f"{f'run {ranking.run}, ' if many else ''}{ranking.machine}, {ranking.conditions}",
        f"relative is the time over that of {reference}; ± is the half-width of its 95 % interval",
        *([tested] if ranking.pairs else []),
        *ranking.reasons,
    ]


def _half(ranked: Ranked) -> float | None:
    if ranked.relative_low is None or ranked.relative_high is None:
        return None
    return half_width(ranked.relative, ranked.relative_low, ranked.relative_high)


def _range(ranked: Ranked) -> str:
    return str(ranked.best) if ranked.best == ranked.worst else f"{ranked.best} to {ranked.worst}"
