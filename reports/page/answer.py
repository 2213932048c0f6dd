"""The answer at the top of the page, and the sentence on noise, generated from all cases."""

import statistics

import pandas as pd

from reports.chapters.convergence.chapter import CHAPTER
from reports.chapters.fastest import chapter as search
from reports.chapters.profile import chapter as profile
from reports.chapters.roofline import chapter as roofline
from reports.chapters.sides import frame as sides
from reports.chapters.sides.relative import of_relative
from reports.chapters.speedups.heat import best_speedup, failures
from reports.chapters.tradeoffs.chapter import accurate
from reports.chapters.tradeoffs.picks import fastest
from reports.figures.chart import Source
from reports.style.rows import each
from reports.style.units import SPACE, plus_minus, relative
from reports.style.words import conditions_text, extreme, joined, plural
from results.metrics.warnings import NOISES, kind


def answer(source: Source, *, complete: bool) -> tuple[str, ...]:
    """Return the answer first: speed for accuracy, best speed-up, sides, failures, precision.

    Args:
        source: the study and cases of the page.
        complete: whether these are all cases; a selection has no sentences on failures and speed-ups.
    """
    frame = source.cases
    trained = (*_trained(source), *_explained(source))
    searched = _searched(source)
    if frame.empty:
        return trained or ("These files hold no case.",)
    candidates = accurate(source)
    pick = None if candidates.empty else fastest(candidates)
    speedup, failed = (best_speedup(frame), failures(frame)) if complete else (None, None)
    pairs = source.frame(sides.pairs)
    if searched:  # its cases left early: what they say is said by the search
        return (*searched, *trained)
    return tuple(said for said in (pick, speedup, _first_pair(pairs), failed, precision(frame), *trained) if said)


def _searched(source: Source) -> tuple[str, ...]:
    """Return the sentence on the first search for the fastest setting, where all runs are searches."""
    if not source.holds("search") or not all(file.bodies("search") for file in source.study.records.files):
        return ()
    (chart,) = search.CHAPTER.charts.values()
    views = chart.views(source.frame(chart.frame))
    return tuple(chart.takeaway(view.frame) for view in views[:1])


def _trained(source: Source) -> tuple[str, ...]:
    """Return the sentences on trainings: of the first data set, the final accuracies and the time to the first target.

    They are those of the figures of the chapter on convergence.
    """
    if not source.holds("training"):
        return ()
    charts = CHAPTER.charts.values()
    views = [(chart, chart.views(source.frame(chart.frame))) for chart in charts if chart.needs == "training"]
    return tuple(chart.takeaway(shown[0].frame) for chart, shown in reversed(views) if shown)


def _explained(source: Source) -> tuple[str, ...]:
    """Return the sentences on the first profile: where its time goes, its share of the roof, what would help most."""
    if not source.holds("profile"):
        return ()
    charts = [profile.CHAPTER.charts["profile_kinds"], *roofline.CHAPTER.charts.values()]
    views = [(chart, chart.views(source.frame(chart.frame))) for chart in charts]
    return tuple(chart.takeaway(shown[0].frame) for chart, shown in views if shown)


def _first_pair(pairs: pd.DataFrame) -> str | None:
    """Return the sentence on the first pair of sides that has ratios."""
    known = sides.with_ratio(pairs)
    if known.empty:
        return None
    return of_relative(known[known["pair"].eq(known["pair"].iloc[0])])


def precision(frame: pd.DataFrame) -> str | None:
    """Return the sentence on the widths of the latencies' intervals, and on latencies without an interval."""
    timed = frame[frame["status"].eq("ok") & frame["latency_s"].notna()]
    if timed.empty:
        return None
    known = timed.dropna(subset=["latency_low_s", "latency_high_s"])
    if known.empty:
        why = "their sources state no interval" if timed["imported"].all() else "there were too few steady turns"
        return f"No latency has an interval: {why}."
    halves = [relative(row.latency_s, row.latency_low_s, row.latency_high_s) or 0.0 for row in each(known)]
    known = known.assign(half=halves)
    worst = extreme(known, "half", largest=True)
    said = (
        f"Of {plural(len(known), 'latency', 'latencies')} with a 95{SPACE}% interval, half are known to within "
        f"{plus_minus(statistics.median_high(halves))}, all to within {plus_minus(worst.half)} "
        f"({worst.model}, {conditions_text(worst)})."
    )
    without = timed[timed["latency_low_s"].isna() | timed["latency_high_s"].isna()]
    for rows, why in (
        (without[~without["imported"]], "there were too few steady turns"),
        (without[without["imported"]], "their sources state no interval"),
    ):
        if len(rows):
            said += f" {len(rows):,} more {'has' if len(rows) == 1 else 'have'} no interval: {why}."
    if known["interval"].eq("process").any():
        said += " The intervals are within one process; another process may differ by more."
    late = int(timed["stop"].isin(["budget", "time-limit"]).sum())
    if late:
        said += f" {late:,} of {plural(len(timed), 'case')} ran out of time before reaching the target precision."
    return said


def noise(frame: pd.DataFrame) -> str:
    """Return the sentence on the measured cases with signs of a disturbed machine."""
    measured = frame[frame["status"].ne("unsupported") & ~frame["imported"]]
    if measured.empty:
        return "No case here was measured by this program, so no signs of noise are known."
    signs = [{kind(line) for line in lines} & NOISES for lines in measured["warnings"]]
    disturbed = sum(map(bool, signs))
    if not disturbed:
        return f"No case of {len(measured):,} carries a sign that something else used the machine meanwhile."
    counts = {name: sum(name in lines for lines in signs) for name in sorted(NOISES)}
    which = joined([f"{name} in {count:,}" for name, count in counts.items() if count])
    carry = "carries" if disturbed == 1 else "carry"
    return f"{disturbed:,} of {plural(len(measured), 'case')} {carry} signs that the machine was disturbed: {which}."
