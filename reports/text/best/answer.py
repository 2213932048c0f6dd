"""The answer of a search for people and programs: the winner first, then every candidate."""

import math
from typing import Any, Final

import msgspec

from reports.style.words import case_options
from reports.text.best.snippets import snippet
from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.searches.fastest import CandidateRow, Fastest, candidate_rows, fastest
from results.analysis.study import Study
from results.metrics.rows import json_text
from results.metrics.speedups import Factor
from results.schema.axes import axis_text, setting_texts
from results.schema.lines.search import Search
from results.text import csv_text, digits

_PEAKS: Final = ("peak_resident_bytes", "peak_allocated_bytes")
_COSTS: Final = (*_PEAKS, "compile_s", "warm_compile_s", "equality_error", "agreement", "accuracy_lost")
_HEADS: Final = ("case", "fate", "image_s", "throughput_img_per_s", "speedup", "reason")


def search_text(study: Study, fmt: str) -> str:
    """Return the answer of the search in a study of its file as ``table``, ``json``, ``csv`` or ``markdown``.

    Raises:
        InputError: the format does not exist.
    """
    check_format(fmt)
    (run,) = study.runs
    (search,) = run.file.bodies("search")
    won = fastest(study)
    candidates = candidate_rows(run, search)
    rows = [_values(each) for each in candidates]
    if fmt == "json":
        return json_text([_document(search, won, rows)])
    if fmt == "csv":
        return csv_text(_HEADS, rows)
    grid = [[each.name, row[1], _ms(row[2]), _rate(row[3]), _times(row[4]), row[5] or ""]
            for each, row in zip(candidates, rows, strict=True)]  # fmt: skip
    heads = ["candidate", "fate", "ms an image", "img/s", "speed-up", ""]
    lines = [search.reason or ""] if won is None else sentences(won)
    code = "" if won is None else f"\nin your code:\n\n{_indented(snippet(won.case))}\n"
    return lines_text(lines, fmt) + code + grid_text(heads, grid, fmt, numbers_from=2, numbers_to=4)


def sentences(won: Fastest) -> list[str]:
    """Return the answer in sentences: the winner, its gain, its cost, who came second, and the command."""
    case, row = won.case, won.row
    settings = ", ".join((*setting_texts(case), axis_text("threads", case.threads)))
    times = f"{digits(row['latency_s'] * 1e3, None)} ms a step, {digits(row['throughput_img_per_s'], None)} img/s"
    lines = [f"the fastest: {case.model} {axis_text('batch_size', case.batch_size)}, {settings}: {times}"]
    if won.gain is not None:
        steps = ", ".join(f"{step.before} → {step.after} ×{step.factor.value:.2f}" for step in won.steps)
        lines.append(f"it is {factor_text(won.gain)} as fast as eager{f': {steps}' if steps else ''}")
    lines.append(f"it costs {'; '.join(_costs(row))}")
    lines.append(_second(won))
    lines.append(f"why the search ended: {won.search.reason}")
    lines.append(f"measure it again: resnet-bench run {' '.join(case_options(case))}")
    return lines


def factor_text(factor: Factor) -> str:
    """Return a factor with its interval: ``2.71 times (2.64 to 2.78)``."""
    ends = "" if factor.low is None or factor.high is None else f" ({factor.low:.2f} to {factor.high:.2f})"
    return f"{factor.value:.2f} times{ends}"


def _costs(row: Any) -> list[str]:
    known = {name: float(row[name]) for name in _COSTS if not math.isnan(row[name])}
    costs = [f"{digits(known['compile_s'], None)} s to prepare" if "compile_s" in known else "nothing to prepare"]
    if "warm_compile_s" in known:
        costs.append(f"{digits(known['warm_compile_s'], None)} s from its cache")
    costs += [f"{digits(known[name] / 1e9, None)} GB" for name in _PEAKS if name in known]
    if "agreement" in known:
        lost = known["accuracy_lost"]
        costs.append(f"it agrees with fp32 on {known['agreement']:.2%} of real images and loses {lost:.2%} of accuracy")
    error = known.get("equality_error")
    return [*costs, "its result was not checked" if error is None else f"error of its result {error:.1e}"]


def _second(won: Fastest) -> str:
    if won.runner_up is None or won.lead is None:
        return "no other candidate was measured beside it"
    name = " ".join(setting_texts(won.runner_up))
    if won.runner_up.batch_size != won.case.batch_size:
        name += f" at {axis_text('batch_size', won.runner_up.batch_size)}"
    doubt = "beyond doubt" if won.apart else "which cannot be told apart from it"
    return f"the runner-up: {name}; the winner is {factor_text(won.lead)} as fast, {doubt}"


def _values(row: CandidateRow) -> list[Any]:
    """Return the values of a candidate, for programs."""
    rate = None if row.image_s is None else 1 / row.image_s
    return [row.case.key, row.fate, row.image_s, rate, row.speedup, row.reason]


def _document(search: Search, won: Fastest | None, rows: list[list[Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "winner": None if search.winner is None else search.winner.key,
        "reason": search.reason,
        "nearest": None if search.nearest is None else search.nearest.key,
        "duration_s": search.duration_s,
        "candidates": [dict(zip(_HEADS, row, strict=True)) for row in rows],
    }
    if won is not None:
        document |= {
            "case": msgspec.to_builtins(won.case),
            "speedup": None if won.gain is None else msgspec.to_builtins(won.gain),
            "runner_up": None if won.runner_up is None else won.runner_up.key,
            "lead": None if won.lead is None else msgspec.to_builtins(won.lead),
            "apart": won.apart,
            "snippet": snippet(won.case),
            "command": f"resnet-bench run {' '.join(case_options(won.case))}",
        }
    return document


def _indented(code: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in code.splitlines(keepends=True))


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else digits(seconds * 1e3, None)


def _rate(rate: float | None) -> str:
    return "" if rate is None else digits(rate, None)


def _times(factor: float | None) -> str:
    return "" if factor is None else f"{factor:.2f}"
