"""Comparisons as Markdown for GitHub, for the comment on a pull request and for the summary of a job alike.

The verdict comes first, then what changed; the rest is folded. Everything that comes from run files is escaped.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from reports.text.comparison import cells
from reports.text.github_markdown import LIMIT, Part, escaped, fitted, folded, row, table_head
from results.analysis.ab import Paired
from results.analysis.compare import Compared, Comparison, Outcome
from results.analysis.differences import Change
from results.schema.axes import AXES
from results.statistics.difference import FALSE_ALARMS
from results.text import digits, half_width

COMPARE_MARKER: Final = "<!-- resnet-bench:compare -->"
"""The first line, by which a workflow finds the comment that it is to update."""
AB_MARKER: Final = "<!-- resnet-bench:ab -->"

_TITLES: Final[dict[Outcome, str]] = {"pass": "Pass", "regression": "Regression", "inconclusive": "Inconclusive"}
_WORDS: Final = ("broken", "slower", "faster", "same", "inconclusive", "not judged")
"""Kinds of cases, the first that must be read first."""
_ARM_WORDS: Final = ("broken", "slower", "inconclusive", "faster", "same")
_ARM_MEANING: Final[dict[Outcome, str]] = {
    "pass": "No case became slower by more than the margin.",
    "regression": "Both sides ran at the same time, step by step, so load of the machine does not explain it.",
    "inconclusive": "This is no pass: the pairs spread too much to tell, or something went wrong (see below). Give it "
    "more time, a quieter machine or a wider margin; `resnet-bench doctor` tells what a machine can resolve.",
}


def comparison_github(comparison: Comparison, limit: int = LIMIT) -> str:
    """Return what `results.compare` found, in at most `limit` bytes of UTF-8, ending in a newline."""
    sorted_cases = sorted(comparison.cases, key=_urgency)
    shown = [one for one in sorted_cases if _kind(one) in {"broken", "slower", "faster", "not judged"}]
    rest = [one for one in sorted_cases if _kind(one) in {"same", "inconclusive"}]
    head = (
        f"{COMPARE_MARKER}\n**{_TITLES[comparison.outcome]}: {_counted(comparison.cases, comparison.counts)}**\n\n"
        f"{_meaning(comparison)}\n\n"
    )
    heads, cell = _columns(comparison.cases)
    table = table_head(heads, numbers_from=len(heads) - 6, numbers_to=-2)
    before, after = folded(f"Other cases: {len(rest):,} ({_counted(rest)})")
    count_lines = [_changed(change) for change in comparison.counts]
    margin = f"margin {100 * comparison.margin:g} %"
    judging = f"{margin}; Welch's t-interval of the log ratio across replicates; Holm's correction over the cases"
    parts = [
        Part(what="counts", before="Counts that differ:\n\n", lines=count_lines, count=len(count_lines), rank=0),
        Part(what="changes", before=f"\n{table}", lines=(row(cell(one)) for one in shown), count=len(shown), rank=1),
        Part(
            what="cases",
            before=before + table,
            lines=(row(cell(one)) for one in rest),
            count=len(rest),
            after=after,
            rank=5,
        ),
        _list("reasons", f"Reasons why it cannot pass: {len(comparison.reasons):,}", comparison.reasons, 2),
        _environment(comparison.environment),
        _list("lines", "How this was measured", [judging, *comparison.runs], 4),
    ]
    return fitted(head, parts, limit)


def arms_github(pairs: Sequence[Paired], limit: int = LIMIT) -> str:
    """Return what `resnet-bench ab` found in one or more comparisons, in at most `limit` bytes of UTF-8."""
    worst = worst_outcome([one.outcome for one in pairs])
    ordered = sorted(pairs, key=lambda one: (_ARM_WORDS.index(_arm_word(one)), -(one.judged.ratio or 1.0)))
    words = [_arm_word(one) for one in pairs]
    told = ", ".join(f"{words.count(word):,} {word}" for word in _ARM_WORDS if word in words)
    head = f"{AB_MARKER}\n**{_TITLES[worst]}: {told}**\n\n{_ARM_MEANING[worst]}\n\n"
    heads = ["case", "a ms", "b ms", "b / a", "interval", "pairs", "verdict", "why"]
    reasons = [f"{one.b.key}: {reason}" for one in ordered for reason in (*one.reasons, *one.notices)]
    # The same in most comparisons, so told once.
    changes = dict.fromkeys(change for one in ordered for change in (*one.counts, *one.environment))
    measured = [
        f"{one.b.key}: {one.judged.pairs} pairs that spread by {100 * one.judged.spread:.2f} %"
        for one in ordered
        if one.judged.spread is not None
    ]
    margins = ", ".join(f"{100 * margin:g} %" for margin in sorted({one.margin for one in pairs}))
    parts = [
        Part(
            what="comparisons",
            before=table_head(heads, numbers_from=1, numbers_to=-2),
            lines=(row(_arm_cells(one)) for one in ordered),
            count=len(ordered),
            rank=0,
        ),
        _list("lines", f"Warnings and reasons: {len(reasons):,}", reasons, 1),
        _environment(list(changes)),
        _list(
            "lines",
            "How this was measured",
            [f"margin {margins}; two fresh processes a pair, stepped in turn, a is the base", *measured],
            3,
        ),
    ]
    return fitted(head, parts, limit)


def worst_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome of several comparisons together; of none it is inconclusive, as nothing was found sound."""
    found = set(outcomes)
    if "regression" in found:
        return "regression"
    return "pass" if found == {"pass"} else "inconclusive"


def _kind(one: Compared) -> str:
    if one.broken:
        return "broken"
    return "not judged" if one.low is not None and one.p is None else one.verdict


def _urgency(one: Compared) -> tuple[int, float]:
    """Broken first, then slower by size, then faster by size."""
    kind, ratio = _kind(one), one.ratio or 1.0
    return _WORDS.index(kind), ratio if kind == "faster" else -ratio


def _counted(cases: Sequence[Compared], counts: Sequence[Change] = ()) -> str:
    kinds = [_kind(one) for one in cases]
    told = [f"{kinds.count(word):,} {word}" for word in _WORDS if word in kinds]
    told += [f"static counts that differ: {len(counts):,}"] if counts else []
    return ", ".join(told) or "no case"


def _meaning(comparison: Comparison) -> str:
    margin = f"{100 * comparison.margin:g} %"
    if comparison.outcome == "pass":
        return f"No case became slower by more than {margin}, and none is broken."
    if comparison.outcome == "regression":
        return (
            f"Slower is by more than the margin of {margin}; the chance that any slower or faster here is a false "
            f"alarm is at most {100 * FALSE_ALARMS:g} %. Broken is what failed or computed what is wrong, and did not "
            "before."
        )
    if not comparison.same_hardware:
        return (
            "This is no pass: the hardware differs, and there times are shown and not judged. Measure the base on the "
            "same machine, or both sides there in turn with `resnet-bench ab`."
        )
    return (
        "This is no pass, though nothing is known to be slower: the reasons stand below. Where an interval reaches "
        "over the margin, more `--replicates` or a quieter machine tell; `resnet-bench ab` tells most in least time."
    )


def _columns(cases: Sequence[Compared]) -> tuple[list[str], Callable[[Compared], list[str]]]:
    """Return the heads of a table of cases, and what gives the cells of one."""
    axes = [axis for axis in AXES if axis == "model" or len({getattr(one.case, axis) for one in cases}) > 1]
    several = any(one.machine for one in cases)

    def cell(one: Compared) -> list[str]:
        named = [one.machine or "-"] if several else []
        numbers = cells(one)
        kind = "broken" if one.broken else numbers[-2]
        return [*named, *(str(getattr(one.case, axis)) for axis in axes), *numbers[:-2], kind, numbers[-1]]

    heads = ["machine"] if several else []
    return [*heads, *axes, "base ms", "new ms", "new / base", "95 % interval", "verdict", "why"], cell


def _list(what: str, summary: str, lines: Sequence[str], rank: int) -> Part:
    before, after = folded(summary)
    shown = (f"- {escaped(line)}\n" for line in lines)
    return Part(what=what, before=before, lines=shown, count=len(lines), after=after, rank=rank)


def _environment(changes: Sequence[Change]) -> Part:
    before, after = folded(f"Differences of the environment: {len(changes):,}")
    return Part(
        what="differences", before=before, lines=map(_changed, changes), count=len(changes), after=after, rank=3
    )


def _changed(change: Change) -> str:
    return f"- {escaped(change.what)}: {escaped(change.base)} became {escaped(change.new)}\n"


def _arm_word(one: Paired) -> str:
    if one.broken or one.counts:
        return "broken"
    return "inconclusive" if one.reasons else one.judged.verdict


def _arm_cells(one: Paired) -> list[str]:
    judged = one.judged
    case = one.b.key if one.a == one.b else f"{one.a.key} against {one.b.key}"
    times = ["-" if value is None else digits(1e3 * value, None) for value in (one.a_latency_s, one.b_latency_s)]
    ratio, span = "-", "-"
    if judged.ratio is not None and judged.low is not None and judged.high is not None:
        ratio = digits(judged.ratio, half_width(judged.ratio, judged.low, judged.high))
        span = f"{judged.low:.4f} to {judged.high:.4f}"
    why = next(iter(one.reasons), None) or judged.reason or ""
    return [case, *times, ratio, span, str(judged.pairs), _arm_word(one), why]
