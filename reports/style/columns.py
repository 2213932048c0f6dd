"""The columns that a reader can meet in a table: heading, text, interval, and the number to sort by."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from reports.style.units import NEVER, NONE, SPACE, TIMES, number, quantity, spread, steps
from reports.style.views import each, throughput_bounds
from results.metrics.breakeven import is_never

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value as it is shown."""

    text: str
    note: str = ""
    """Half-width of the 95 % interval."""
    sort: float | str | None = None
    """What to sort by; None sorts last."""
    reason: str = ""
    """Why there is no value."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How one column of the frame is shown. `make` gets a row of the frame (`reports.style.views.each`)."""

    heading: str
    make: Callable[[Any], Cell]
    numeric: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table ready to be laid out."""

    names: tuple[str, ...]
    """Of its columns, in `COLUMNS`."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def _reason(row: Any, name: str) -> str:
    nulls = getattr(row, "nulls", None)
    return str(nulls.get(name, "")) if isinstance(nulls, Mapping) else ""


def _word(name: str) -> Callable[[Any], Cell]:
    def make(row: Any) -> Cell:
        value = getattr(row, name)
        return Cell(text=str(value), sort=str(value)) if isinstance(value, str) else Cell(text=NONE)

    return make


def _whole(name: str) -> Callable[[Any], Cell]:
    def make(row: Any) -> Cell:
        value = number(getattr(row, name))
        reason = _reason(row, name)
        return Cell(text=NONE, reason=reason) if value is None else Cell(text=f"{value:.0f}", sort=value)

    return make


def _measured(name: str, unit: str, bounds: Callable[[Any], tuple[Any, Any]]) -> Callable[[Any], Cell]:
    def make(row: Any) -> Cell:
        value, (low, high) = getattr(row, name), bounds(row)
        return Cell(
            text=quantity(value, unit, low, high),
            note=spread(value, low, high),
            sort=number(value),
            reason=_reason(row, name) if number(value) is None else "",
        )

    return make


def _exact(name: str, unit: str, factor: float = 1.0) -> Callable[[Any], Cell]:
    def make(row: Any) -> Cell:
        value = number(getattr(row, name))
        if value is None:
            return Cell(text=NONE, reason=_reason(row, name))
        return Cell(text=quantity(factor * value, unit), sort=value)

    return make


def _percent(row: Any) -> Cell:
    value = number(row.imagenet_top1)
    if value is None:
        return Cell(text=NONE, reason=_reason(row, "imagenet_top1"))
    return Cell(text=f"{100 * value:.2f}{SPACE}%", sort=value)


def _error(row: Any) -> Cell:
    value = number(row.equality_error)
    if value is None:
        return Cell(text=NONE, reason=_reason(row, "equality_error"))
    return Cell(text=f"{value:.1e}", sort=value)


_NEVER: Final = 1e300
"""What "never" sorts as: behind any number of steps."""


def _break_even(row: Any) -> Cell:
    """Show the steps with their interval; never, where a run says so, sorts behind every number."""
    value, reason = number(row.break_even_steps), _reason(row, "break_even_steps")
    if value is None:
        never = is_never(reason)
        return Cell(text=NEVER if never else NONE, reason=reason, sort=_NEVER if never else None)
    low, high = number(row.break_even_low), number(row.break_even_high)
    ends = "" if low is None else f"{steps(low)} to {NEVER if high is None else steps(high)}"
    return Cell(text=f"{steps(value)}{SPACE}steps", note=ends, sort=value)


def _pays(name: str) -> Callable[[Any], Cell]:
    """Show a number of steps that may be infinite, with the ends of its interval."""

    def make(row: Any) -> Cell:
        value, low, high = (getattr(row, column) for column in (f"{name}_steps", f"{name}_low", f"{name}_high"))
        text = steps(value)
        if text == NONE:
            return Cell(text=NONE, reason=row.reason if isinstance(row.reason, str) else "not measured")
        ends = "" if NONE in {steps(low), steps(high)} else f"{steps(low)} to {steps(high)}"
        return Cell(text=text, note=ends, sort=_NEVER if text == NEVER else value)

    return make


COLUMNS: Final[dict[str, Column]] = {
    "model": Column(heading="variant", make=_word("model"), numeric=False),
    "machine": Column(heading="machine", make=_word("machine"), numeric=False),
    "task": Column(heading="task", make=_word("task"), numeric=False),
    "batch_size": Column(heading="batch", make=_whole("batch_size")),
    "image_size": Column(heading="pixels", make=_whole("image_size")),
    "device": Column(heading="device", make=_word("device"), numeric=False),
    "threads": Column(heading="threads", make=_whole("threads")),
    "precision": Column(heading="precision", make=_word("precision"), numeric=False),
    "runtime": Column(heading="runtime", make=_word("runtime"), numeric=False),
    "layout": Column(heading="layout", make=_word("layout"), numeric=False),
    "family": Column(heading="family", make=_word("family"), numeric=False),
    "block": Column(heading="block", make=_word("block"), numeric=False),
    "depth": Column(heading="depth", make=_whole("depth")),
    "latency_s": Column(
        heading="latency",
        make=_measured("latency_s", "s", lambda row: (row.latency_low_s, row.latency_high_s)),
    ),
    "latency_p50_s": Column(heading="p50", make=_exact("latency_p50_s", "s")),
    "latency_p90_s": Column(heading="p90", make=_exact("latency_p90_s", "s")),
    "latency_p95_s": Column(heading="p95", make=_exact("latency_p95_s", "s")),
    "latency_p99_s": Column(heading="p99", make=_exact("latency_p99_s", "s")),
    "throughput_img_per_s": Column(
        heading="throughput", make=_measured("throughput_img_per_s", "img/s", throughput_bounds)
    ),
    "speedup": Column(
        heading="speed-up", make=_measured("speedup", TIMES, lambda row: (row.speedup_low, row.speedup_high))
    ),
    "flops_per_s": Column(heading="achieved", make=_exact("flops_per_s", "FLOP/s")),
    "run": Column(heading="run", make=_word("run"), numeric=False),
    "started": Column(heading="started", make=_word("started"), numeric=False),
    "level_s": Column(heading="level", make=_exact("level_s", "s")),
    "noisy": Column(heading="signs of noise", make=_word("noisy"), numeric=False),
    "environment": Column(heading="what changed around it", make=_word("environment"), numeric=False),
    "status": Column(heading="status", make=_word("status"), numeric=False),
    "peak_bytes": Column(heading="peak memory", make=_exact("peak_bytes", "B")),
    "peak_resident_bytes": Column(heading="peak resident", make=_exact("peak_resident_bytes", "B")),
    "peak_allocated_bytes": Column(heading="peak allocated", make=_exact("peak_allocated_bytes", "B")),
    "first_step_s": Column(heading="first step", make=_exact("first_step_s", "s")),
    "compile_s": Column(heading="compile", make=_exact("compile_s", "s")),
    "warm_compile_s": Column(heading="warm compile", make=_exact("warm_compile_s", "s")),
    "break_even_steps": Column(heading="compiling pays after", make=_break_even),
    "graph_breaks": Column(heading="graph breaks", make=_whole("graph_breaks")),
    "recompiles": Column(heading="recompilations", make=_whole("recompiles")),
    "equality": Column(heading="result", make=_word("equality"), numeric=False),
    "equality_error": Column(heading="error", make=_error),
    "state": Column(heading="steps", make=_word("state"), numeric=False),
    "forward_s": Column(heading="forward", make=_exact("forward_s", "s")),
    "backward_s": Column(heading="backward", make=_exact("backward_s", "s")),
    "optimizer_s": Column(heading="optimizer", make=_exact("optimizer_s", "s")),
    "parameters": Column(heading="parameters", make=_exact("parameters", "")),
    "model_bytes": Column(heading="weights", make=_exact("model_bytes", "B")),
    "macs": Column(heading="MACs", make=_exact("macs", "MAC")),
    "flops": Column(heading="FLOPs", make=_exact("flops", "FLOP")),
    "training_flops": Column(heading="training FLOPs", make=_exact("training_flops", "FLOP")),
    "fvcore_macs": Column(heading="fvcore's total", make=_exact("fvcore_macs", "MAC")),
    "activations": Column(heading="activations", make=_exact("activations", "")),
    "arithmetic_intensity": Column(heading="intensity", make=_exact("arithmetic_intensity", "FLOP/B")),
    "uncounted": Column(heading="unknown to fvcore", make=_word("uncounted"), numeric=False),
    "imagenet_top1": Column(heading="top-1", make=_percent),
    "stage": Column(heading="stage", make=_word("stage"), numeric=False),
    "quantity": Column(heading="quantity", make=_word("quantity"), numeric=False),
    "value": Column(heading="value", make=_exact("value", "")),
    "step": Column(heading="step", make=_whole("step")),
    "change": Column(heading="change", make=_word("change"), numeric=False),
    "before": Column(heading="from", make=_word("before"), numeric=False),
    "after": Column(heading="to", make=_word("after"), numeric=False),
    "factor": Column(heading="factor", make=_measured("factor", TIMES, lambda row: (row.factor_low, row.factor_high))),
    "total": Column(heading="together", make=_measured("total", TIMES, lambda row: (row.total_low, row.total_high))),
    "gain": Column(
        heading="eager over compiled", make=_measured("gain", TIMES, lambda row: (row.gain_low, row.gain_high))
    ),
    "cold_steps": Column(heading="pays after, cold", make=_pays("cold")),
    "warm_steps": Column(heading="pays after, warm", make=_pays("warm")),
    "a": Column(heading="a", make=_word("a"), numeric=False),
    "b": Column(heading="b", make=_word("b"), numeric=False),
    "a_setting": Column(heading="setting on a", make=_word("a_setting"), numeric=False),
    "b_setting": Column(heading="setting on b", make=_word("b_setting"), numeric=False),
    "a_throughput": Column(
        heading="throughput on a", make=_measured("a_throughput", "img/s", lambda row: (row.a_low, row.a_high))
    ),
    "b_throughput": Column(
        heading="throughput on b", make=_measured("b_throughput", "img/s", lambda row: (row.b_low, row.b_high))
    ),
    "ratio": Column(heading="b over a", make=_measured("ratio", TIMES, lambda row: (row.ratio_low, row.ratio_high))),
    "verdict": Column(heading="b is", make=_word("verdict"), numeric=False),
    "layer": Column(heading="layer", make=_word("layer"), numeric=False),
    "type": Column(heading="type", make=_word("type"), numeric=False),
    "output_shape": Column(heading="output of one image", make=_word("output_shape"), numeric=False),
    "reason": Column(heading="why not", make=_word("reason"), numeric=False),
}


def table(frame: "pd.DataFrame", names: tuple[str, ...]) -> Table:
    """Return those of the columns `names` in which any row of `frame` has a value."""
    rows = list(each(frame))
    made = {name: [COLUMNS[name].make(row) for row in rows] for name in names}
    filled = {name: cells for name, cells in made.items() if any(cell.sort is not None for cell in cells)}
    return Table(
        names=tuple(filled),
        columns=tuple(COLUMNS[name] for name in filled),
        rows=tuple(zip(*filled.values(), strict=True)),
    )
