"""Why a metric of a record is null: every value that is not there has its reason."""

import dataclasses
from collections.abc import Sequence
from itertools import compress
from typing import Final

import numpy as np

from results.schema.labels import PROMISES
from results.schema.metrics import METRICS, RUN, STATIC
from results.schema.record import Equality, Facts, Record
from results.schema.run import Arm
from results.schema.static import Static
from results.statistics.segments import Flags, Floats

WEIGHTS: Final = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
"""Names of `Static.model_bytes` by dtype."""
TAILS: Final[tuple[str, ...]] = ("latency_p50_s", "latency_p90_s", "latency_p95_s", "latency_p99_s")
"""The metrics of `results.metrics.timings.QUANTILES`."""

_FACTS: Final = frozenset(Facts.__struct_fields__)
_RUN, _STATIC = (frozenset(metric.name for metric in group) for group in (RUN, STATIC))
_NO_STATIC: Final = "the file holds no static cost of this model at this image size"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Memo:
    """Reasons that were put together before: most records lack the same for the same reasons as many others."""

    kinds: dict[tuple[object, ...], tuple[dict[str, str], tuple[str, ...]]] = dataclasses.field(default_factory=dict)
    """Those of records, and which of them are said anew for other numbers of steps."""
    steps: dict[tuple[int, int, int], dict[str, str]] = dataclasses.field(default_factory=dict)
    """Those of records with their numbers of steps, by the identity of those without."""
    cases: dict[tuple[object, ...], dict[str, str]] = dataclasses.field(default_factory=dict)
    """Those of cases, by the identities of their records'."""


def nulls(
    records: Sequence[Record],
    costs: Sequence[Static | None],
    barred: Sequence[str | None],
    worth: Floats,
    values: Floats,
    memo: Memo,
) -> list[dict[str, str]]:
    """Return why the metrics of each record are null, by the names of those that are, in the order of `METRICS`.

    Records that lack the same for the same reasons share one dict, which is not to be changed.

    Args:
        records: one case in one process each.
        costs: the costs of their models, None where one is not known.
        barred: their `no_speedup`.
        worth: how many independent steps the steady ones of each are worth.
        values: a row for each of `METRICS`, a column for each record, NaN where it is null.
        memo: of this and other runs; grows.
    """
    absent = np.isnan(values.T)
    known = memo.kinds
    found = []
    columns = zip(records, costs, barred, worth.tolist(), patterns(absent), strict=True)
    for place, (record, cost, bar, steps_worth, pattern) in enumerate(columns):
        case, equality = record.case, record.equality
        error = equality.what if equality is not None and equality.error is None else None
        kind = (pattern, bar, error, record.status, record.cause, case.task, case.precision, cost is None)
        key = (*kind, record.summary is None, *record.nulls.items())
        if key not in known:
            names = list(compress(METRICS, absent[place]))
            untimed = "latency_s" in names
            few = () if untimed or record.summary is not None else tuple(name for name in TAILS if name in names)
            known[key] = {name: _reason(name, record, cost, bar, untimed=untimed) for name in names}, few
        reasons, few = known[key]
        if few and record.samples is not None:
            steps = len(record.samples.step_s) - record.samples.warmup
            part = (id(reasons), steps, round(steps_worth))
            if part not in memo.steps:
                # Neighbouring steps resemble each other, and bound a tail less than others would.
                told = f"{steps} steady steps, worth {part[2]} independent ones, are too few to bound it"
                memo.steps[part] = reasons | dict.fromkeys(few, told)
            reasons = memo.steps[part]
        found.append(reasons)
    return found


def patterns(absent: Flags) -> list[bytes]:
    """Return for each row, of which names are absent, what is the same only of another row with the same names."""
    packed = np.ascontiguousarray(np.packbits(absent, axis=1))
    rows: list[bytes] = packed.view(f"V{packed.shape[1]}").ravel().tolist()
    return rows


def no_speedup(record: Record, arm: Arm | None) -> str | None:
    """Return why a record with a baseline beside it has no speed-up all the same; None where it has."""
    if arm is not None or (record.samples is not None and record.samples.arm_s):
        return "an arm of an A/B comparison ran beside the other arm, and not beside a baseline"
    if record.equality is not None and record.equality.verdict == "wrong":
        return f"its result is wrong: {error_text(record.equality)}"
    return None


def error_text(equality: Equality) -> str:
    """Return what differs, by how much, and what is allowed."""
    error = "not finite" if equality.error is None else f"{equality.error:.2g}"
    return f"{equality.what}, error {error} where {equality.allowed:.2g} is allowed"


def _reason(name: str, record: Record, cost: Static | None, bar: str | None, *, untimed: bool) -> str:
    """Return why one metric is null; `untimed` is whether the record has no latency either."""
    if record.summary is not None:
        return record.nulls.get(name, "its source does not tell")
    if name in _STATIC or name in _RUN:
        return _no_cost(name, record, cost)
    why = _no_time(record) if untimed else None
    if name in _FACTS:
        return record.nulls.get(name) or why or "not recorded"
    if name == "equality_error":
        if record.equality is not None:
            return f"{record.equality.what} is not finite"
        return record.nulls.get("equality") or why or "not checked"
    return why or _no_part(name, record, bar)


def _no_time(record: Record) -> str:
    if record.status != "ok":
        return f"{record.status}: {record.cause or 'no cause given'}"
    return "no steady step was measured"


def _no_part(name: str, record: Record, bar: str | None) -> str:
    """Return why a record that has a latency lacks another of its times."""
    if name == "speedup":
        return bar or record.nulls.get(name, "no baseline ran beside it in its steady turns")
    if name == "flops_per_s":
        return _NO_STATIC
    training = record.case.task == "training"
    return record.nulls.get(name, "not split" if training else "only training has phases")


def _no_cost(name: str, record: Record, cost: Static | None) -> str:
    """Return why one metric that no record has of its own is null."""
    if name in _RUN:
        return "only a compiled case whose run holds it eager has one"
    if cost is None:
        return _NO_STATIC
    if name == "imagenet_top1":
        return "no published ImageNet weights"
    return f"not known for {WEIGHTS[PROMISES[record.case.precision].weights]} weights"
