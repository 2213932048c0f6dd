"""Comparisons as Markdown for GitHub: for the comment on a pull request and for the summary of a job.

The verdict comes first, then the changes; other parts are folded. Text from run files is escaped.
"""

import collections
from collections.abc import Iterable, Sequence
from typing import Final

from reports.text.comparison import compared_columns, ms_text, share_text
from reports.text.github_markdown import LIMIT, Part, escaped, fitted, folded, row, table_head
from results.analysis.ab import Paired
from results.analysis.compare import Compared, Comparison, Outcome
from results.analysis.differences import Change
from results.statistics.difference import FALSE_ALARMS
from results.text import digits, half_width, span_text

COMPARE_MARKER: Final = "<!-- resnet-bench:compare -->"
"""First line of the comment. A workflow looks for it to update the comment."""
AB_MARKER: Final = "<!-- resnet-bench:ab -->"

_TITLES: Final[dict[Outcome, str]] = {"pass": "Pass", "regression": "Regression", "inconclusive": "Inconclusive"}
_WORDS: Final = ("broken", "slower", "faster", "same", "inconclusive", "not judged")
"""Kinds of cases, the most urgent first."""
_ARM_WORDS: Final = ("broken", "slower", "inconclusive", "faster", "same")
_ARM_MEANING: Final[dict[Outcome, str]] = {
    "pass": "No case became slower by more than the margin.",
    "regression": "Both sides ran at the same time, step by step, so load of the machine does not explain it.",
    "inconclusive": "This is no pass: the pairs spread too much, or a pair failed (see below). Give it more "
    "time, a quieter machine or a wider margin; `resnet-bench doctor` shows what a machine can resolve.",
}


def comparison_github(comparison: Comparison, limit: int = LIMIT) -> str:
    """Return a comparison of runs in at most `limit` bytes of UTF-8, ending in a newline."""
    sorted_cases = sorted(comparison.cases, key=_urgency)
    changed = [compared for compared in sorted_cases if _kind(compared) not in {"same", "inconclusive"}]
    rest = [compared for compared in sorted_cases if _kind(compared) in {"same", "inconclusive"}]
    head = (
        f"{COMPARE_MARKER}\n**{_TITLES[comparison.outcome]}: {_counted(comparison.cases, comparison.counts)}**\n\n"
        f"{_meaning(comparison)}\n\n"
    )
    heads, cells = compared_columns(comparison.cases)
    table = table_head(heads, numbers_from=len(heads) - 6, numbers_to=-2)
    before, after = folded(f"Other cases: {len(rest):,} ({_counted(rest)})")
    count_lines = [_changed(change) for change in comparison.counts]
    judging = (
        f"margin {share_text(comparison.margin)}; Welch's t-interval of the log ratio across replicates; "
        "Holm's correction over the cases"
    )

    def rows(cases: Iterable[Compared]) -> Iterable[str]:
        for compared in cases:
            *numbers, verdict, why = cells(compared)
            yield row([*numbers, "broken" if compared.broken else verdict, why])

    parts = [
        Part(what="counts", before="Counts that differ:\n\n", lines=count_lines, count=len(count_lines), rank=0),
        Part(what="changes", before=f"\n{table}", lines=rows(changed), count=len(changed), rank=1),
        Part(what="cases", before=before + table, lines=rows(rest), count=len(rest), after=after, rank=5),
        _list("reasons", f"Reasons why it cannot pass: {len(comparison.reasons):,}", comparison.reasons, 2),
        _environment(comparison.environment),
        _list("lines", "How this was measured", [judging, *comparison.runs], 4),
    ]
    return fitted(head, parts, limit)


def arms_github(pairs: Sequence[Paired], limit: int = LIMIT) -> str:
    """Return A/B comparisons in at most `limit` bytes of UTF-8, ending in a newline."""
    worst = worst_outcome([paired.outcome for paired in pairs])
    ordered = sorted(pairs, key=lambda paired: (_ARM_WORDS.index(_arm_word(paired)), -(paired.judged.ratio or 1.0)))
    words = collections.Counter(map(_arm_word, pairs))
    verdicts = ", ".join(f"{words[word]:,} {word}" for word in _ARM_WORDS if word in words)
    head = f"{AB_MARKER}\n**{_TITLES[worst]}: {verdicts}**\n\n{_ARM_MEANING[worst]}\n\n"
    heads = ["case", "a ms", "b ms", "b / a", "interval", "pairs", "verdict", "why"]
    reasons = [f"{paired.b.key}: {reason}" for paired in ordered for reason in (*paired.reasons, *paired.notices)]
    # Most comparisons have the same changes: they are listed once.
    changes = dict.fromkeys(change for paired in ordered for change in (*paired.counts, *paired.environment))
    measured = [
        f"{paired.b.key}: {paired.judged.pairs} pairs that spread by {100 * paired.judged.spread:.2f} %"
        for paired in ordered
        if paired.judged.spread is not None
    ]
    margins = ", ".join(map(share_text, sorted({paired.margin for paired in pairs})))
    judging = f"margin {margins}; two fresh processes a pair, stepped in turn, a is the base"
    parts = [
        Part(
            what="comparisons",
            before=table_head(heads, numbers_from=1, numbers_to=-2),
            lines=(row(_arm_cells(paired)) for paired in ordered),
            count=len(ordered),
            rank=0,
        ),
        _list("lines", f"Warnings and reasons: {len(reasons):,}", reasons, 1),
        _environment(list(changes)),
        _list("lines", "How this was measured", [judging, *measured], 3),
    ]
    return fitted(head, parts, limit)


def worst_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome of several comparisons together; no comparison at all is inconclusive."""
    outcomes = set(outcomes)
    if "regression" in outcomes:
        return "regression"
    return "pass" if outcomes == {"pass"} else "inconclusive"


def _kind(compared: Compared) -> str:
    if compared.broken:
        return "broken"
    return "not judged" if compared.low is not None and compared.p is None else compared.verdict


def _urgency(compared: Compared) -> tuple[int, float]:
    """Sort broken cases first, then slower by size, then faster by size."""
    kind, ratio = _kind(compared), compared.ratio or 1.0
    return _WORDS.index(kind), ratio if kind == "faster" else -ratio


def _counted(cases: Sequence[Compared], counts: Sequence[Change] = ()) -> str:
    kinds = collections.Counter(map(_kind, cases))
    texts = [f"{kinds[word]:,} {word}" for word in _WORDS if word in kinds]
    texts += [f"static counts that differ: {len(counts):,}"] if counts else []
    return ", ".join(texts) or "no case"


def _meaning(comparison: Comparison) -> str:
    margin = share_text(comparison.margin)
    if comparison.outcome == "pass":
        return f"No case became slower by more than {margin}, and none is broken."
    if comparison.outcome == "regression":
        return (
            f"Slower is by more than the margin of {margin}; the chance that any slower or faster here is a false "
            f"alarm is at most {share_text(FALSE_ALARMS)}. Broken: the case worked before, and now fails or computes "
            "a wrong result."
        )
    if not comparison.same_hardware:
        return (
            "This is no pass: the hardware differs, so times are shown and not judged. Measure the base on the same "
            "machine, or measure both sides there in turn with `resnet-bench ab`."
        )
    return (
        "This is no pass, though no case is known to be slower: see the reasons below. Where an interval reaches over "
        "the margin, use more `--replicates` or a quieter machine; `resnet-bench ab` needs the least time."
    )


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


def _arm_word(paired: Paired) -> str:
    if paired.broken or paired.counts:
        return "broken"
    return "inconclusive" if paired.reasons else paired.judged.verdict


def _arm_cells(paired: Paired) -> list[str]:
    judged = paired.judged
    case = paired.b.key if paired.a == paired.b else f"{paired.a.key} against {paired.b.key}"
    ratio, span = "-", "-"
    if judged.ratio is not None and judged.low is not None and judged.high is not None:
        ratio = digits(judged.ratio, half_width(judged.ratio, judged.low, judged.high))
        span = span_text(judged.ratio, judged.low, judged.high, 4)
    why = next(iter(paired.reasons), None) or judged.reason or ""
    times = [ms_text(paired.a_latency_s), ms_text(paired.b_latency_s)]
    return [case, *times, ratio, span, str(judged.pairs), _arm_word(paired), why]
