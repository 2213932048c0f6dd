"""What the numbers say, in generated sentences: the answer at the top, and one takeaway for each figure.

Each is a pure function of the rows that its figure draws, and says nothing that they do not.
"""

import statistics
from typing import Any, Final

import pandas as pd

from reports.chapters.sides.frame import comparable
from reports.chapters.sides.relative import of_relative
from reports.chapters.tradeoffs.fronts import of_throughput
from reports.style.units import SPACE, TIMES, plus_minus, quantity, relative, spread
from reports.style.views import BASELINE, WORKLOAD, axis_text, each, is_baseline, setting, throughput_bounds
from results.metrics.warnings import NOISES, kind

CLOSE: Final = 0.01
"""Accuracy that a reader may give up for speed: one percentage point."""
LISTED: Final = 3


def _only(frame: pd.DataFrame) -> Any:
    return next(each(frame))


def _at(frame: pd.DataFrame, column: str, *, largest: bool) -> Any:
    """Return the row with the largest or smallest of `column`; of equals the first by name."""
    return _only(frame.sort_values([column, "model"], ascending=[not largest, True]))


def _throughput(row: Any) -> str:
    return quantity(row.throughput_img_per_s, "img/s", *throughput_bounds(row))


def _conditions(row: Any, *, with_setting: bool = True) -> str:
    axes = [axis_text(axis, getattr(row, axis)) for axis in WORKLOAD]
    return " · ".join([*axes, setting(row)] if with_setting else axes)


def both(words: list[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return ``1 case`` or ``1,234 cases``; `many` is the plural of a noun that takes more than an s."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def fastest(frame: pd.DataFrame) -> str:
    """Say which of comparable rows with an accuracy is the fastest within `CLOSE` of the best."""
    best = _at(frame, "imagenet_top1", largest=True)
    close = frame[frame["imagenet_top1"] >= best.imagenet_top1 - CLOSE]
    pick = _at(close, "throughput_img_per_s", largest=True)
    said = (
        f"{pick.model} is the fastest variant within one point of the best ImageNet top-1: "
        f"{_percent(pick.imagenet_top1)} at {_throughput(pick)}"
    )
    if pick.model == best.model:
        return f"{said}; nothing here is more accurate."
    ratio = pick.throughput_img_per_s / best.throughput_img_per_s
    return f"{said}, {ratio:.2g} times as fast as the most accurate, {best.model} ({_percent(best.imagenet_top1)})."


def _percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f}{SPACE}%"


def best_speedup(frame: pd.DataFrame) -> str | None:
    """Say what the best speed-up over fp32, eager, nchw is and what gives it, and how many cases are slower.

    Only what the 95 % interval tells apart from 1 counts as faster or slower.
    """
    others = frame[frame["status"].eq("ok") & frame["speedup"].notna() & ~is_baseline(frame)]
    if others.empty:
        return None
    faster = others[others["speedup_low"] > 1]
    if faster.empty:
        said = (
            f"Nothing was shown to be faster than {' · '.join(BASELINE)}: no speed-up of "
            f"{plural(len(others), 'case')} in another setting has a 95{SPACE}% interval above 1."
        )
    else:
        best = _at(faster, "speedup", largest=True)
        value = quantity(best.speedup, TIMES, best.speedup_low, best.speedup_high)
        within = spread(best.speedup, best.speedup_low, best.speedup_high)
        said = (
            f"The best speed-up is {value} ({within}): {setting(best)} instead of "
            f"{' · '.join(BASELINE)}, on {best.model} ({_conditions(best, with_setting=False)})."
        )
    slower = others[others["speedup_high"] < 1]
    if slower.empty:
        return said
    worst = _at(slower, "speedup", largest=False)
    value = quantity(worst.speedup, TIMES, worst.speedup_low, worst.speedup_high)
    return (
        f"{said} {len(slower)} of {plural(len(others), 'case')} in another setting were slower, "
        f"the most {setting(worst)} on {worst.model} at {value}."
    )


def failures(frame: pd.DataFrame) -> str:
    """Say how many cases have no result, and why."""
    failed = frame[frame["status"] != "ok"]
    if failed.empty:
        return f"All {plural(len(frame), 'case')} gave a result." if len(frame) > 1 else "The one case gave a result."
    parts = []
    for status, rows in failed.groupby("status", sort=True):
        names = list(dict.fromkeys(rows["model"]))
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        parts.append(f"{len(rows)} {status} ({', '.join(names[:LISTED])}{more})")
    return f"{len(failed)} of {plural(len(frame), 'case')} did not succeed: {both(parts)}."


def precision(frame: pd.DataFrame) -> str | None:
    """Say how tight the intervals of the latencies are, and how many have none."""
    timed = frame[frame["status"].eq("ok") & frame["latency_s"].notna()]
    if timed.empty:
        return None
    known = timed.dropna(subset=["latency_low_s", "latency_high_s"])
    if known.empty:
        why = "their sources tell none" if timed["imported"].all() else "there were too few steady turns"
        return f"No latency has an interval: {why}."
    halves = [relative(row.latency_s, row.latency_low_s, row.latency_high_s) or 0.0 for row in each(known)]
    known = known.assign(half=halves)
    worst = _at(known, "half", largest=True)
    said = (
        f"Of {plural(len(known), 'latency', 'latencies')} with a 95{SPACE}% interval, half are known to within "
        f"{plus_minus(statistics.median_high(halves))}, all to within {plus_minus(worst.half)} "
        f"({worst.model}, {_conditions(worst)})."
    )
    without = timed[timed["latency_low_s"].isna() | timed["latency_high_s"].isna()]
    for rows, why in (
        (without[~without["imported"]], "there were too few steady turns"),
        (without[without["imported"]], "their sources tell none"),
    ):
        if len(rows):
            said += f" {len(rows):,} more {'has' if len(rows) == 1 else 'have'} no interval: {why}."
    if known["interval"].eq("process").any():
        said += " The intervals are within one process; another process may differ by more."
    late = int(timed["stop"].isin(["budget", "time-limit"]).sum())
    if late:
        said += f" {late:,} of {plural(len(timed), 'case')} ran out of time before reaching the precision asked for."
    return said


def noise(frame: pd.DataFrame) -> str:
    """Say how many measured cases carry signs that the machine was disturbed, and which."""
    measured = frame[frame["status"].ne("unsupported") & ~frame["imported"]]
    if measured.empty:
        return "Nothing here was measured by this program, so no signs of noise are known."
    signs = [{kind(line) for line in lines} & NOISES for lines in measured["warnings"]]
    disturbed = sum(map(bool, signs))
    if not disturbed:
        return f"No case of {len(measured):,} carries a sign that something else used the machine meanwhile."
    counts = {name: sum(name in one for one in signs) for name in sorted(NOISES)}
    told = both([f"{name} in {count:,}" for name, count in counts.items() if count])
    carry = "carries" if disturbed == 1 else "carry"
    return f"{disturbed:,} of {plural(len(measured), 'case')} {carry} signs that the machine was disturbed: {told}."


def summary(frame: pd.DataFrame, accurate: pd.DataFrame, pairs: pd.DataFrame, *, whole: bool = True) -> tuple[str, ...]:
    """Return the answer first: speed for accuracy, best speed-up, sides, failures, precision.

    Args:
        frame: every case.
        accurate: the cases that the figure of accuracy against throughput draws.
        pairs: the frame of `reports.chapters.sides.frame.pairs`.
        whole: whether these are all cases; else nothing is said of failures and speed-ups, which the choice has cut.
    """
    if frame.empty:
        return ("These files hold no case.",)
    pick = None if accurate.empty else of_throughput(accurate)
    speedup, failed = (best_speedup(frame), failures(frame)) if whole else (None, None)
    return tuple(said for said in (pick, speedup, _sides(pairs), failed, precision(frame)) if said)


def _sides(pairs: pd.DataFrame) -> str | None:
    """Say how two sides compare, the first pair that has a ratio."""
    known = comparable(pairs)
    if known.empty:
        return None
    return of_relative(known[known["pair"].eq(known["pair"].iloc[0])])


def of_depth(frame: pd.DataFrame) -> str:
    """Say what the span from the fastest to the slowest is."""
    top = _at(frame, "throughput_img_per_s", largest=True)
    low = _at(frame, "throughput_img_per_s", largest=False)
    if top.model == low.model:
        return f"{top.model} does {_throughput(top)}."
    ratio = top.throughput_img_per_s / low.throughput_img_per_s
    return f"{top.model} is the fastest at {_throughput(top)}, {ratio:.2g} times {low.model} ({_throughput(low)})."


def of_speedups(frame: pd.DataFrame) -> str:
    """Say what `best_speedup` says, or where nothing has a speed-up, what failed."""
    return best_speedup(frame) or failures(frame)


def of_macs(frame: pd.DataFrame) -> str:
    """Say how far the time of one multiply-add differs between models."""
    rate = frame.assign(_rate=frame["macs"] * frame["batch_size"] / frame["latency_s"])
    best, worst = _at(rate, "_rate", largest=True), _at(rate, "_rate", largest=False)
    top, low = (row.macs * row.batch_size / row.latency_s for row in (best, worst))
    if best.model == worst.model:
        return f"{best.model} does {quantity(top, 'MAC/s')}."
    return (
        f"A multiply-add is not a unit of time: {best.model} does {quantity(top, 'MAC/s')}, "
        f"{worst.model} only {quantity(low, 'MAC/s')}, so equal MACs cost up to {top / low:.2g} times as long."
    )


def of_memory(frame: pd.DataFrame) -> str:
    """Say who needs most and least."""
    most, least = _at(frame, "peak_bytes", largest=True), _at(frame, "peak_bytes", largest=False)
    if most.model == least.model:
        return f"{most.model} peaks at {quantity(most.peak_bytes, 'B')}."
    return (
        f"{most.model} peaks at {quantity(most.peak_bytes, 'B')}, {least.model} at {quantity(least.peak_bytes, 'B')}."
    )


def of_counts(frame: pd.DataFrame) -> str:
    """Say who takes most and least multiply-adds."""
    most, least = _at(frame, "macs", largest=True), _at(frame, "macs", largest=False)
    if most.model == least.model:
        return f"{most.model} takes {quantity(most.macs, 'MAC')} an image."
    return (
        f"{most.model} takes {quantity(most.macs, 'MAC')} an image, {most.macs / least.macs:.2g} times as many as "
        f"{least.model} ({quantity(least.macs, 'MAC')})."
    )


def of_phases(frame: pd.DataFrame) -> str:
    """Say what share of a training step the backward pass takes."""
    whole = frame["forward_s"] + frame["backward_s"] + frame["optimizer_s"]
    share = sorted(frame["backward_s"] / whole)
    low, high = (_percent(end, 0) for end in (share[0], share[-1]))
    ratio = (frame["backward_s"] / frame["forward_s"]).median()
    return (
        f"The backward pass takes {low if low == high else f'{low} to {high}'} of a training step, "
        f"typically {ratio:.2g} times the forward pass."
    )


def of_stages(frame: pd.DataFrame) -> str:
    """Say which stage typically holds most."""
    share = frame["value"] / frame.groupby("model")["value"].transform("sum")
    typical = share.groupby(frame["stage"]).median().sort_values()
    what = frame["quantity"].iloc[0]
    return f"{typical.index[-1]} typically holds most of a ResNet's {what}: {_percent(typical.iloc[-1], 0)}."
