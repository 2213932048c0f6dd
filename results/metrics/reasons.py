"""Reasons of missing metrics: every value that is null has a reason."""

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Final, NamedTuple

import numpy as np

from results.schema.labels import PROMISES, TASKS
from results.schema.lines.record import Equality, Facts, Record
from results.schema.lines.run import Arm
from results.schema.lines.static import Static
from results.schema.metric import STATIC
from results.schema.metrics import METRICS, RUN
from results.statistics.segments import Flags, Floats

WEIGHTS: Final = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
"""Names of `Static.model_bytes` by dtype."""
TAILS: Final[tuple[str, ...]] = ("latency_p50_s", "latency_p90_s", "latency_p95_s", "latency_p99_s")
"""The metrics of `results.metrics.timings.QUANTILES`."""

_SOURCES: Final = {
    "img_per_j": "image_j",
    **dict.fromkeys(("agreement_least", "accuracy_lost", "accuracy_lost_most"), "agreement"),
}
"""What a metric is computed from, whose reason it shares."""
_FACTS: Final = frozenset(Facts.__struct_fields__)
_RUN, _STATIC = (frozenset(metric.name for metric in group) for group in (RUN, STATIC))
_LATENCY, *_TAILS = (list(METRICS).index(name) for name in ("latency_s", *TAILS))
_NO_STATIC: Final = "the file holds no static cost of this model at this image size"


class _Kind(NamedTuple):
    """All facts that determine the reasons of a record."""

    lacking: bytes
    """A flag for each of `METRICS`: whether it is null."""
    untimed: str | None
    """Why it has no latency, None where it has a latency."""
    imported: bool
    splits: bool
    """Whether its task has phases."""
    weights: str
    costed: bool
    """Whether the cost of its model is known."""
    excluded: str | None
    """Why it must not be compared with others."""
    unpaired: tuple[str | None, ...]
    """Why it has no ratio, for each metric that compares records."""
    not_finite: str | None
    """The part of its result that is not finite."""
    few_steps: tuple[int, int] | None
    """Its steady steps, and the number of independent steps as which they count, where these bound no quantile."""
    nulls: tuple[tuple[str, str], ...]
    """The record's own reasons."""


class Reasons:
    """Reasons of the missing metrics of the records of a run.

    Most records lack the same metrics for the same reasons; such records share a kind.
    """

    def __init__(self, kinds: Sequence[int], by_kind: Sequence[dict[str, str]]) -> None:
        self.kinds = kinds
        """The kind of each record."""
        self._by_kind = by_kind

    def __getitem__(self, index: int) -> dict[str, str]:
        """Return the reasons of a record by metric, in the order of `METRICS`. Records share the dict."""
        return self._by_kind[self.kinds[index]]


def reasons(
    records: Sequence[Record],
    costs: Sequence[Static | None],
    excluded: Sequence[str | None],
    unpaired: Mapping[str, Mapping[int, str]],
    effective: Floats,
    values: Floats,
) -> Reasons:
    """Return the reasons of the missing metrics of each record.

    Args:
        records: the records of a run.
        costs: the static cost of each record's model, None where it is not known.
        excluded: the result of `exclusions`.
        unpaired: for each metric that compares records, why those without a ratio have none, by index.
        effective: the effective number of independent steady steps of each record.
        values: a row for each of `METRICS`, a column for each record, NaN for a missing value.
    """
    absent = flags_of_rows(np.isnan(values.T))
    numbers: dict[_Kind, int] = {}
    by_kind: list[dict[str, str]] = []
    kinds = []
    alones = zip(*(map(without.get, range(len(records))) for without in unpaired.values()), strict=True)
    columns = zip(records, costs, excluded, effective.tolist(), absent, alones, strict=True)
    for record, cost, exclusion, independent, lacking, alone in columns:
        kind = _kind(record, cost, independent, lacking, exclusion, alone)
        number = numbers.setdefault(kind, len(by_kind))
        if number == len(by_kind):
            own = dict(kind.nulls)
            pairs = dict(zip(unpaired, alone, strict=True))
            by_kind.append({name: _reason(name, kind, own, pairs) for name in compress(METRICS, lacking)})
        kinds.append(number)
    return Reasons(kinds, by_kind)


def flags_of_rows(flags: Flags) -> list[bytes]:
    """Return each row of flags as bytes, a byte a flag."""
    whole, width = flags.tobytes(), flags.shape[1]
    return [whole[start : start + width] for start in range(0, len(whole), width)]


def _kind(
    record: Record,
    cost: Static | None,
    independent: float,
    lacking: bytes,
    excluded: str | None,
    unpaired: tuple[str | None, ...],
) -> _Kind:
    case, equality, samples = record.case, record.equality, record.samples
    untimed = few_steps = None
    if lacking[_LATENCY]:
        failed = f"{record.status}: {record.cause or 'no cause given'}"
        untimed = "no steady step was measured" if record.status == "ok" else failed
    elif samples is not None and any(lacking[tail] for tail in _TAILS):
        # Neighbouring steps are correlated, and bound a quantile less well than independent steps would.
        steady = len(samples.step_s) - samples.warmup
        few_steps = (steady, round(independent))
    return _Kind(
        lacking=lacking,
        untimed=untimed,
        imported=record.summary is not None,
        splits=bool(TASKS[case.task].phases),
        weights=WEIGHTS[PROMISES[case.precision].weights],
        costed=cost is not None,
        excluded=excluded,
        unpaired=unpaired,
        not_finite=equality.what if equality is not None and equality.error is None else None,
        few_steps=few_steps,
        nulls=tuple(record.nulls.items()),
    )


def exclusions(records: Sequence[Record], arm: Arm | None) -> list[str | None]:
    """Return why each record of a run must not be compared with others, None where it may be.

    A replicate checks the result for all replicates of its case.
    """
    if arm is not None:
        return ["an arm of an A/B comparison is compared with the other arm only"] * len(records)
    wrong = {record.case: _wrong_text(record.equality) for record in records if is_wrong(record)}
    return [wrong.get(record.case) for record in records]


def _wrong_text(equality: Equality | None) -> str:
    return "its result is wrong" if equality is None else f"its result is wrong: {error_text(equality)}"


def is_wrong(record: Record) -> bool:
    """Tell whether the result of a record was checked, by us or by its source, and is wrong."""
    if record.summary is not None:
        return record.summary.equality == "wrong"
    return record.equality is not None and record.equality.verdict == "wrong"


def usable_record(record: Record) -> bool:
    """Tell whether a record counts: it ended well and its result is not wrong. Of rows, `Study.usable` tells it."""
    return record.status == "ok" and not is_wrong(record)


def error_text(equality: Equality) -> str:
    """Return the tensor that differs, its error, and the allowed error, as text."""
    error = "not finite" if equality.error is None else f"{equality.error:.2g}"
    return f"{equality.what}, error {error} where {equality.allowed:.2g} is allowed"


def _reason(name: str, kind: _Kind, own: dict[str, str], pairs: dict[str, str | None]) -> str:
    """Return why the metric `name` is null in records of a kind.

    Args:
        name: the metric.
        kind: the kind.
        own: the records' own reasons.
        pairs: why they have no ratio, by the metrics that compare records.
    """
    if kind.imported:
        return own.get(name, "its source does not state it")
    if name in _STATIC or name in _RUN:
        return _no_cost(name, kind)
    name = _SOURCES.get(name, name)
    if name in _FACTS or name == "agreement":
        return own.get(name) or kind.untimed or "not recorded"
    if name == "equality_error":
        if kind.not_finite is not None:
            return f"{kind.not_finite} is not finite"
        return own.get("equality") or kind.untimed or "not checked"
    return kind.untimed or (kind.excluded or pairs[name] if name in pairs else None) or _no_part(name, kind, own)


def _no_part(name: str, kind: _Kind, own: dict[str, str]) -> str:
    """Return why records with a latency lack another time."""
    if name == "flops_per_s":
        return _NO_STATIC
    if name in TAILS and kind.few_steps:
        steady, independent = kind.few_steps
        return f"{steady} steady steps, which count as {independent} independent steps, are too few to bound it"
    return own.get(name, "not split" if kind.splits else "only training has phases")


def _no_cost(name: str, kind: _Kind) -> str:
    """Return why a static cost, or a metric that needs other cases of the run, is null."""
    if name in _RUN:
        return "only a compiled case whose run also holds the eager case has a break-even"
    if not kind.costed:
        return _NO_STATIC
    return "no published ImageNet weights" if name == "imagenet_top1" else f"not known for {kind.weights} weights"
