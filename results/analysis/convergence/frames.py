"""Tidy frames of trainings: a row an epoch, and a row a group of seeds."""

import math
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from results.analysis.convergence.curves import (
    Curve,
    CurveGroup,
    check_accuracy,
    common_accuracy,
    curve_groups,
    curves,
)
from results.schema.axes import AXES
from results.schema.lines.training import Epoch
from results.statistics.intervals import Interval, across, bounding_ranks
from results.statistics.seeds import mean_over_seeds, wilson
from results.storage.reader import Records

if TYPE_CHECKING:
    import pandas as pd

_EPOCH: Final = tuple(name for name in Epoch.__struct_fields__ if name not in {"training", "nulls"})
EPOCH_COLUMNS: Final = (
    *("run", "machine", "training", *AXES, "data", "recipe", "seed", "status", *_EPOCH),
    *("train_error", "validation_low", "validation_high", "total_images", "total_energy_j", "nulls"),
)
"""The columns of `epochs`."""
_MEANS: Final = ("images_per_s", "seconds", "data_s", "compute_s", "validation_s", "energy_j")
TRAINING_COLUMNS: Final = (
    *("machine", *AXES, "data", "recipe", "seeds", "finished", "ends", "epochs"),
    *("accuracy", "accuracy_low", "accuracy_high", "interval", "expected_accuracy", "expected_source"),
    *("target", "reached", "never", "time_s", "time_low_s", "time_high_s"),
    *("median_s", "median_low_s", "median_high_s"),
    *(*_MEANS, "peak_memory_bytes", "nulls"),
)
"""The columns of `trainings`."""


def epochs(records: Records) -> "pd.DataFrame":
    """Return a frame with a row for each epoch of each training, in the order of the files.

    `EPOCH_COLUMNS` are the fields of `results.schema.lines.training.Epoch` in SI units, the axes of the case, and
    ``train_error`` (1 - training accuracy), the 95 % binomial interval of the validation accuracy (Wilson 1927), and
    the images and joules of this and all earlier epochs. A missing value is NaN, and ``nulls`` holds its reason.
    """
    return epoch_frame(curves(records))


def epoch_frame(made: Sequence[Curve]) -> "pd.DataFrame":
    """Return `epochs` of some curves."""
    import pandas as pd  # noqa: PLC0415 (0.4 s that `import results` need not pay)

    rows = [row for curve in made for group in curve_groups([curve]) for row in _epoch_rows(group)]
    frame = pd.DataFrame(rows, columns=list(EPOCH_COLUMNS))
    return frame.astype(dict.fromkeys(("peak_memory_bytes", "energy_j", "total_energy_j"), "float64"))


def trainings(records: Records, accuracy: float | None = None) -> "pd.DataFrame":
    """Return a frame with a row for each recipe on a network, data and machine: its seeds together.

    ``accuracy`` is the mean final accuracy (`Curve.final`). Its ``interval`` is ``seeds``, Student's t over seeds, or
    for a single seed ``images``, the binomial interval of its validation images: another seed may differ by more.
    ``time_s`` is the geometric mean of the seconds until the end of the first epoch with the ``target`` accuracy, a NaN
    unless every seed reached it; ``median_s`` is a NaN where half of the seeds never did, and where a training was cut
    off before. Its interval holds with 90 % (David and Nagaraja 2003), and needs five seeds. ``seconds``, ``data_s``,
    ``compute_s``, ``validation_s`` and ``energy_j`` are means over the finished seeds of whole trainings.

    Args:
        records: the records.
        accuracy: the target; the default is, for each data set, the highest multiple of 0.5 % that every finished
            training reached.

    Raises:
        InputError: The accuracy is not above 0 and at most 1.
    """
    if accuracy is not None:
        check_accuracy(accuracy)
    return group_frame(curve_groups(curves(records)), accuracy)


def group_frame(groups: Sequence[CurveGroup], accuracy: float | None = None) -> "pd.DataFrame":
    """Return `trainings` of some groups of seeds."""
    import pandas as pd  # noqa: PLC0415 (as above)

    rows = [_training_row(group, accuracy or common_accuracy(same_data(groups, group))) for group in groups]
    frame = pd.DataFrame(rows, columns=list(TRAINING_COLUMNS))
    whole = {"machine", *AXES, "data", "recipe", "seeds", "finished", "ends", "epochs", "interval", "expected_source"}
    counts = dict.fromkeys(("reached", "never"), "Int64")
    others = [name for name in TRAINING_COLUMNS if name not in {*whole, *counts, "nulls"}]
    return frame.astype(dict.fromkeys(others, "float64") | counts)


def same_data(groups: Sequence[CurveGroup], group: CurveGroup) -> list[CurveGroup]:
    """Return the groups that are validated on the same images as `group`."""

    def images(group: CurveGroup) -> tuple[object, ...]:
        training = group.training
        return training.data, training.data_digest, training.validation, training.validation_images

    return [other for other in groups if images(other) == images(group)]


def final_accuracy(group: CurveGroup) -> tuple[Interval | None, str | None, str | None]:
    """Return the final accuracy of the finished seeds, the name of its interval, and why there is none."""
    finals = [curve.final for curve in group.finished]
    known = [epoch for epoch in finals if epoch is not None]
    if not known:
        return None, None, f"no training came to its end: {ends_text(group)}"
    if len(known) > 1:
        return mean_over_seeds([epoch.validation_accuracy for epoch in known]), "seeds", None
    return wilson(known[0].validation_correct, group.training.validation_images), "images", None


def ends_text(group: CurveGroup) -> str:
    """Return how the trainings of a group ended: ``4 ok, 1 diverged``."""
    return ", ".join(f"{count} {status}" for status, count in Counter(curve.status for curve in group.curves).items())


def _epoch_rows(group: CurveGroup) -> Iterator[dict[str, Any]]:
    (curve,) = group.curves
    training = curve.training
    axes = {name: getattr(training.case, name) for name in AXES}
    images = accumulate(epoch.images for epoch in curve.epochs)
    joules = accumulate(math.nan if epoch.energy_j is None else epoch.energy_j for epoch in curve.epochs)
    for epoch, total_images, total_energy_j in zip(curve.epochs, images, joules, strict=True):
        binomial = wilson(min(epoch.validation_correct, training.validation_images), training.validation_images)
        yield {
            "run": curve.run.id,
            "machine": group.machine,
            "training": training.number,
            **axes,
            "data": training.data,
            "recipe": training.recipe,
            "seed": training.seed,
            "status": curve.status,
            **{name: getattr(epoch, name) for name in _EPOCH},
            "train_error": 1 - epoch.train_accuracy,
            "validation_low": binomial.low,
            "validation_high": binomial.high,
            "total_images": total_images,
            "total_energy_j": total_energy_j,
            "nulls": epoch.nulls,
        }


def _training_row(group: CurveGroup, target: float | None) -> dict[str, Any]:
    training = group.training
    final, interval, missing = final_accuracy(group)
    times, nulls = _times(group, target)
    means, more = _means(group)
    nulls |= more | ({"accuracy": missing} if missing else {})
    if interval == "images":
        nulls |= {"accuracy_seeds": "a single seed: its interval covers the validation images, not other seeds"}
    return {
        "machine": group.machine,
        **{name: getattr(training.case, name) for name in AXES},
        "data": training.data,
        "recipe": training.recipe,
        "seeds": len(group.curves),
        "finished": len(group.finished),
        "ends": ends_text(group),
        "epochs": training.epochs,
        **_bounds("accuracy", final),
        "interval": interval,
        "expected_accuracy": training.expected and training.expected.accuracy,
        "expected_source": training.expected and training.expected.source,
        "target": target,
        **times,
        **means,
        "nulls": nulls,
    }


def _bounds(name: str, known: Interval | None, unit: str = "") -> dict[str, float | None]:
    low, value, high = (None, None, None) if known is None else (known.low, known.value, known.high)
    return {f"{name}{unit}": value, f"{name}_low{unit}": low, f"{name}_high{unit}": high}


def _times(group: CurveGroup, target: float | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the columns of the time to the target, and the reasons of what is missing."""
    if target is None:
        nothing = {"reached": None, "never": None, **_bounds("time", None, "_s"), **_bounds("median", None, "_s")}
        return nothing, dict.fromkeys(("time_s", "median_s"), "no training came to its end; choose an accuracy")
    times = [curve.time_to(target) for curve in group.curves]
    known = sorted(time for time in times if time is not None)
    reached = [time for time in known if math.isfinite(time)]
    nulls: dict[str, str] = {}
    mean: Interval | None = None
    if len(reached) < len(group.curves):
        nulls["time_s"] = f"{len(reached)} of {len(group.curves)} seeds reached it, and a mean needs all"
    else:
        mean = across(reached) or Interval(reached[0], math.nan, math.nan)
    unknown = len(times) - len(known)
    median = statistics.median(known) if known and not unknown else math.inf
    if unknown:
        nulls["median_s"] = f"{unknown} of {len(times)} trainings ended before they could reach it"
    elif not math.isfinite(median):
        nulls["median_s"] = f"half of the seeds or more did not reach {100 * target:g} %"
    ranks = bounding_ranks(len(known), 0.5) if known else None
    low, high = (math.nan, math.nan) if ranks is None else (known[rank - 1] for rank in ranks)
    if math.isinf(high):
        nulls["median_high_s"] = "seeds that never reached it leave no upper bound"
    shown = Interval(median, low, math.nan if math.isinf(high) else high) if math.isfinite(median) else None
    counts = {"reached": len(reached), "never": len(known) - len(reached)}
    return {**counts, **_bounds("time", mean, "_s"), **_bounds("median", shown, "_s")}, nulls


def _means(group: CurveGroup) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the means over the finished seeds of rates, seconds and joules, and the highest memory."""
    names = (*_MEANS, "peak_memory_bytes")
    if not group.finished:
        return dict.fromkeys(names), dict.fromkeys(names, "no training came to its end")
    sums = [_sums(curve) for curve in group.finished]
    means: dict[str, float | None] = {name: statistics.fmean(seed[name] for seed in sums) for name in _MEANS}
    peaks = [epoch.peak_memory_bytes for curve in group.finished for epoch in curve.epochs]
    means["peak_memory_bytes"] = None if None in peaks else max(filter(None, peaks), default=0.0)
    nulls = {}
    for name, field in (("energy_j", "energy_j"), ("peak_memory_bytes", "peak_memory_bytes")):
        value = means[name]
        if value is None or math.isnan(value):
            reasons = (epoch.nulls.get(field) for curve in group.finished for epoch in curve.epochs)
            nulls[name] = next(filter(None, reasons), "the run file does not say why")
            means[name] = None
    return means, nulls


def _sums(curve: Curve) -> dict[str, float]:
    seconds = math.fsum(epoch.seconds - epoch.validation_s for epoch in curve.epochs)
    images = sum(epoch.images for epoch in curve.epochs)
    joules = [math.nan if epoch.energy_j is None else epoch.energy_j for epoch in curve.epochs]
    return {
        "images_per_s": images / seconds if seconds > 0 else math.nan,
        "seconds": curve.epochs[-1].elapsed_s,
        **{
            name: math.fsum(getattr(epoch, name) for epoch in curve.epochs)
            for name in ("data_s", "compute_s", "validation_s")
        },
        "energy_j": math.fsum(joules) if not any(map(math.isnan, joules)) else math.nan,
    }
