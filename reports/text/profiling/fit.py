"""The largest batch that fits, as text."""

from collections.abc import Sequence
from typing import Final

import msgspec

from reports.text.grid import check_format, grid_text, lines_text
from results.metrics.rows import json_text
from results.schema.lines.memory import LargestBatch
from results.text import csv_text, digits

_HEADS: Final = ("case", "batch_size", "outcome", "predicted_bytes", "peak_bytes", "step_s", "cause")


def fits_text(fits: Sequence[LargestBatch], fmt: str) -> str:
    """Return the largest batches as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``csv`` has a row for each batch that was predicted or tried.

    Raises:
        InputError: the format does not exist.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text([msgspec.to_builtins(fit) for fit in fits])
    if fmt == "csv":
        return csv_text(_HEADS, [[fit.case.key, *row] for fit in fits for row in _rows(fit)])
    return lines_text([""], fmt).join(_table(fit, fmt) for fit in fits)


def answer_text(fit: LargestBatch) -> str:
    """Return the largest batch in a sentence."""
    case = msgspec.structs.replace(fit.case, batch_size=1)
    where = f"in {fit.memory_bytes / 1e9:.4g} GB ({case.key.replace('/b1/', '/')})"
    if fit.verified_batch is not None:
        return f"batch {fit.verified_batch} fits {where}, measured; predicted was {fit.predicted_batch or 'nothing'}"
    if fit.predicted_batch is not None:
        return f"batch {fit.predicted_batch} fits {where}, predicted; --verify measures it"
    reason = fit.nulls.get("predicted_batch")
    return f"not a single image fits {where}" if reason is None else f"no batch is known to fit {where}: {reason}"


def _table(fit: LargestBatch, fmt: str) -> str:
    lines = [answer_text(fit)]
    if fit.process_bytes is not None:
        grows = f"; for each further byte of tensors it grows by {fit.growth:.2f}" if fit.growth > 1 else ""
        lines.append(f"{fit.process_bytes / 1e6:,.0f} MB of it are no tensors: libraries, threads, code{grows}")
    rows = [
        [str(batch), outcome, _mb(predicted), _mb(peak), _ms(step_s), cause or ""]
        for batch, outcome, predicted, peak, step_s, cause in _rows(fit)
    ]
    heads = ["batch", "outcome", "predicted MB", "measured MB", "step ms", ""]
    return lines_text([*lines, *fit.notes], fmt) + grid_text(heads, rows, fmt, numbers_from=2, numbers_to=5)


def _rows(fit: LargestBatch) -> list[tuple[int, str, int | None, int | None, float | None, str | None]]:
    predicted = {each.batch_size: each.peak_bytes for each in fit.predictions}
    tried = {trial.batch_size: trial for trial in fit.trials}
    rows: list[tuple[int, str, int | None, int | None, float | None, str | None]] = []
    for batch in sorted({*predicted, *tried}):
        trial = tried.get(batch)
        if trial is None:
            outcome = "should fit" if fit.expected_bytes(predicted[batch]) <= fit.memory_bytes else "should not fit"
            rows.append((batch, outcome, predicted[batch], None, None, None))
        else:
            rows.append((batch, trial.outcome, predicted.get(batch), trial.peak_bytes, trial.step_s, trial.cause))
    return rows


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else digits(1e3 * seconds, None)


def _mb(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:,.0f}"
