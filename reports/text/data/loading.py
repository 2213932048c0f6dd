"""The loading of data as text, for people and for programs."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.loading import LoadingFindings, PathRate, StageCost
from results.metrics.rows import json_text
from results.schema.axes import axis_text
from results.statistics.intervals import Interval
from results.text import UNKNOWN, csv_text, digits, half_text, is_unknown

_HEADS: Final = (
    "figure", "name", "workers", "images_per_s", "images_per_s_low", "images_per_s_high", "share", "first_batch_s",
    "advised", "reason",
)  # fmt: skip
_NONE: Final = "-"


def loading_text(findings: LoadingFindings, fmt: str) -> str:
    """Return findings as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``json`` holds the measured seconds too; ``csv`` has a row for each stage, each path and the network.

    Raises:
        InputError: the format does not exist.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text(msgspec.to_builtins(findings))
    if fmt == "csv":
        return csv_text(_HEADS, _rows(findings))
    parts = [
        lines_text([_about(findings)], fmt),
        _stage_grid(findings, fmt),
        _rate_grid(findings, fmt),
        lines_text(_verdicts(findings), fmt),
    ]
    return lines_text([""], fmt).join(parts) if fmt == "table" else "\n".join(parts)


def verdict(findings: LoadingFindings) -> str:
    """Return in a sentence whether the network waits for its images."""
    loading, feed, needs = findings.loading, findings.feed, findings.network_per_s
    gives = f"{_path(feed)} gives {_rate(feed.images_per_s)} images a second"
    model = loading.network.model
    if needs is None or findings.waits is None:
        return f"{gives}; what {model} takes is unknown: {loading.nulls.get('network_image_s', 'not measured')}"
    takes = f"{gives}, {model} takes {_rate(needs)}"
    waits = findings.waits
    if waits.high == 0:
        return f"{takes}: it never waits"
    if waits.low == 0:
        return f"{takes}: about as many, it waits at most {_percent(waits.high)} of the time"
    return f"{takes}: it waits {_percent(waits.value)} of the time ({_percent(waits.low)} to {_percent(waits.high)})"


def _about(findings: LoadingFindings) -> str:
    loading, case = findings.loading, findings.loading.network
    where = "in memory"
    if loading.image_bytes is not None:
        where = f"in files of {digits(loading.image_bytes / 1e3, None)} kB, {loading.decoder}"
        where += f", {loading.sample:,} of them read before and again and again: from the system's cache, not the disk"
    px = axis_text("image_size", case.image_size)
    return f"{loading.data}: {loading.images:,} images {where}; batches of {case.batch_size} at {px} on {case.device}"


def _stage_grid(findings: LoadingFindings, fmt: str) -> str:
    rows = [
        [stage.name, _ms(stage.images_per_s), _share(stage), *_interval(stage.images_per_s), stage.reason or ""]
        for stage in findings.stages
    ]
    rows.append(["all, one process", _ms(findings.stages_per_s), "", *_interval(findings.stages_per_s), ""])
    return grid_text(["stage", "ms/image", "share", "img/s", "± %", ""], rows, fmt, numbers_from=1, numbers_to=5)


def _rate_grid(findings: LoadingFindings, fmt: str) -> str:
    rows = [
        [
            rate.path,
            _NONE if rate.path == "slices" else str(rate.workers),
            *_interval(rate.images_per_s),
            f"{digits(rate.first_batch_s, None)} s",
            "advised" if rate.advised else "",
        ]
        for rate in findings.rates
    ]
    heads = ["path", "workers", "img/s", "± %", "first batch", ""]
    return grid_text(heads, rows, fmt, numbers_from=1, numbers_to=5)


def _verdicts(findings: LoadingFindings) -> list[str]:
    loading, case = findings.loading, findings.loading.network
    lines = [verdict(findings)]
    if findings.slices_ratio is not None:
        ratio = findings.slices_ratio
        lines.append(f"slices are {digits(ratio.value, ratio.relative)} × as fast as the fastest DataLoader")
    lines.append(
        f"advice: --workers {findings.workers}, the fewest whose DataLoader is within 5 % of the fastest"
        if findings.slices_ratio is None
        else "advice: slices; a DataLoader does the same work image by image"
    )
    if loading.left_out:
        more = ", ".join(map(str, loading.left_out))
        lines.append(f"not measured, as more workers were slower already: {more}")
    lines.append(f"{case.model} trains on random images on the device: {case.precision}, {case.runtime}, {case.layout}")
    return [*lines, *loading.notes, *_unknown(findings)]


def _unknown(findings: LoadingFindings) -> list[str]:
    intervals = [stage.images_per_s for stage in findings.stages] + [rate.images_per_s for rate in findings.rates]
    if not any(interval is not None and is_unknown(interval.relative) for interval in intervals):
        return []
    return [
        f"{UNKNOWN}: the 95 % interval is wider than the number itself; it takes more --seconds or a quieter machine"
    ]


def _rows(findings: LoadingFindings) -> list[list[Any]]:
    rows = [
        ["stage", stage.name, None, *_ends(stage.images_per_s), stage.share, None, None, stage.reason]
        for stage in findings.stages
    ]
    rows += [
        ["path", rate.path, rate.workers, *_ends(rate.images_per_s), None, rate.first_batch_s, rate.advised, None]
        for rate in findings.rates
    ]
    loading, waits = findings.loading, findings.waits
    share = None if waits is None else waits.value
    reason = loading.nulls.get("network_image_s")
    rows.append(["network", loading.network.model, None, *_ends(findings.network_per_s), share, None, None, reason])
    return rows


def _ends(interval: Interval | None) -> Sequence[float | None]:
    return (None, None, None) if interval is None else (interval.value, interval.low, interval.high)


def _interval(interval: Interval | None) -> tuple[str, str]:
    """Return a rate and its half-width."""
    return (_NONE, _NONE) if interval is None else (_rate(interval), half_text(interval.relative))


def _rate(interval: Interval) -> str:
    text = digits(interval.value, interval.relative)
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole.isdigit() else text


def _ms(interval: Interval | None) -> str:
    return _NONE if interval is None else digits(1e3 / interval.value, interval.relative)


def _share(stage: StageCost) -> str:
    return _NONE if stage.share is None else _percent(stage.share)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 or share == 0 else "<1 %"


def _path(rate: PathRate) -> str:
    if rate.path == "slices":
        return "slicing"
    return f"the loader with {rate.workers} worker{'' if rate.workers == 1 else 's'}"
