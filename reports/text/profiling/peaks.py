"""What a device can do as text, for people and for programs."""

import statistics
from collections.abc import Sequence
from typing import Final

import msgspec

from reports.text.grid import check_format, grid_text, lines_text
from results.metrics.rows import json_text
from results.schema.lines.peaks import Peaks
from results.text import csv_text, digits

_HEADS: Final = ("figure", "name", "size", "median", "low", "high", "unit")


def peaks_text(peaks: Peaks, fmt: str) -> str:
    """Return peaks as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``csv`` has a row a figure in SI units, with the lowest and the highest repetition.

    Raises:
        InputError: the format does not exist.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text(msgspec.to_builtins(peaks))
    if fmt == "csv":
        return csv_text(_HEADS, _rows(peaks))
    parts = [
        lines_text([_about(peaks)], fmt),
        grid_text(["product", "precision", "GFLOP/s", "±", "at"], _products(peaks), fmt, numbers_from=2, numbers_to=4),
        grid_text(["working set", "copy GB/s", "±", "triad GB/s", "±"], _streams(peaks), fmt, numbers_from=1),
        lines_text(_latencies(peaks), fmt),
    ]
    return lines_text([""], fmt).join(parts) if fmt == "table" else "\n".join(parts)


def bytes_text(count: float) -> str:
    """Return a size in powers of two: ``32 KiB``, ``256 MiB``."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:g} {unit}"
        count /= 1024
    return f"{count:g} GiB"


def _about(peaks: Peaks) -> str:
    name = f" ({peaks.device_name})" if peaks.device_name else ""
    threads = "1 thread" if peaks.threads == 1 else f"{peaks.threads} threads"
    count = len(peaks.dispatch_s)
    return f"{peaks.device}{name}, {threads}: medians of {count} repetitions in turns, ± half of their range"


def _products(peaks: Peaks) -> list[list[str]]:
    rows = [
        [peak.operator, peak.precision, *_scaled(peak.flops_per_s, 1e9), peak.size]
        for peak in sorted(peaks.compute, key=lambda peak: peak.precision)
    ]
    rows += [["data sheet", figure.what, digits(figure.value / 1e9, None), "", figure.source] for figure in peaks.sheet]
    rows += [["", name, "-", "", reason] for name, reason in peaks.nulls.items() if name != "sheet"]
    return rows


def _streams(peaks: Peaks) -> list[list[str]]:
    by_size: dict[int, dict[str, Sequence[float]]] = {}
    for each in peaks.bandwidths:
        by_size.setdefault(each.working_set_bytes, {})[each.operation] = each.bytes_per_s
    return [
        [bytes_text(size), *_scaled(by.get("copy", ()), 1e9), *_scaled(by.get("triad", ()), 1e9)]
        for size, by in sorted(by_size.items())
    ]


def _latencies(peaks: Peaks) -> list[str]:
    value, half = _scaled(peaks.dispatch_s, 1e-6)
    lines = [f"an operator on a single element takes the host {value} µs ± {half}"]
    if peaks.launch_s:
        value, half = _scaled(peaks.launch_s, 1e-6)
        lines.append(f"a kernel on an idle device takes {value} µs ± {half} from its launch to its end")
    return [*lines, *peaks.notes]


def _scaled(values: Sequence[float], scale: float) -> tuple[str, str]:
    """Return the median of repetitions, and half of their range."""
    if not values:
        return "-", ""
    half = (max(values) - min(values)) / 2 / scale
    return digits(statistics.median(values) / scale, half), f"{half:.2g}"


def _rows(peaks: Peaks) -> list[list[object]]:
    products: list[list[object]] = [
        [each.operator, each.precision, each.size, *_range(each.flops_per_s), "FLOP/s"] for each in peaks.compute
    ]
    streams: list[list[object]] = [
        [each.operation, "bandwidth", each.working_set_bytes, *_range(each.bytes_per_s), "B/s"]
        for each in peaks.bandwidths
    ]
    latencies = {"dispatch": peaks.dispatch_s, "launch": peaks.launch_s}
    waits: list[list[object]] = [
        [name, "latency", "", *_range(values), "s"] for name, values in latencies.items() if values
    ]
    sheet: list[list[object]] = [["data sheet", each.what, each.source, each.value, "", "", ""] for each in peaks.sheet]
    return [*products, *streams, *waits, *sheet]


def _range(values: Sequence[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)
