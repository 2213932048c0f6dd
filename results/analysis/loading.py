"""The findings of a `Loading`: what each stage costs, how many workers to use, how long the network waits."""

import dataclasses
import statistics
from typing import Final

from results.schema.lines.loading import Loading, LoadingRate, LoadingStage
from results.statistics.intervals import Interval, across

NEAR_BEST: Final = 0.05
"""A number of workers whose rate is less than this share below the best is as good as the best."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StageCost:
    """The cost of a stage."""

    name: str
    images_per_s: Interval | None
    """Rate of a process that does only this; None where there is no such stage."""
    share: float | None
    """Share of the time of all stages."""
    reason: str | None
    """Why there is no such stage."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PathRate:
    """The rate of a path."""

    path: str
    workers: int
    images_per_s: Interval
    first_batch_s: float
    """Median over the repetitions."""
    advised: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LoadingFindings:
    """All that follows from a `Loading`. Rates are images a second; intervals are those of its repetitions."""

    loading: Loading
    stages: tuple[StageCost, ...]
    stages_per_s: Interval | None
    """Rate of a process that does all stages in turn; None without stages."""
    rates: tuple[PathRate, ...]
    """In the order of the paths and of their workers."""
    workers: int
    """The advised number of workers of a `DataLoader`: the smallest whose rate is within `NEAR_BEST` of the best."""
    feed: PathRate
    """The path that feeds the network: slices where there are, else the `DataLoader` with the advised workers."""
    network_per_s: Interval | None
    """Images that the network takes."""
    waits: Interval | None
    """Share of the time in which the network waits for images, 0 where it never waits; None without its rate."""
    slices_ratio: Interval | None
    """Rate of slices over that of the fastest `DataLoader`; None for files."""


def loading_findings(loading: Loading) -> LoadingFindings:
    """Return what follows from `loading`."""
    ordered = sorted(loading.rates, key=lambda rate: (rate.path, rate.workers))
    loaders = [rate for rate in ordered if rate.path == "DataLoader"] or ordered
    slices = next((rate for rate in ordered if rate.path == "slices"), None)
    best = max(loaders, key=lambda rate: _per_s(rate.image_s).value)
    limit = (1 - NEAR_BEST) * _per_s(best.image_s).value
    advised = next(rate for rate in loaders if _per_s(rate.image_s).value >= limit)
    feeding = slices or advised
    rates = {rate: _path_rate(rate, advised=rate is advised) for rate in ordered}
    network = loading.network_image_s
    costs = tuple(_stage_cost(stage, loading) for stage in loading.stages)
    return LoadingFindings(
        loading=loading,
        stages=costs,
        stages_per_s=_per_s(_sums(loading)) if _sums(loading) else None,
        rates=tuple(rates.values()),
        workers=advised.workers,
        feed=rates[feeding],
        network_per_s=None if network is None else _per_s(network),
        waits=None if network is None else _waits(feeding, network),
        slices_ratio=None if slices is None else _ratio(best.image_s, slices.image_s),
    )


def _per_s(image_s: tuple[float, ...]) -> Interval:
    """Return the images a second: the geometric mean over the repetitions with its interval."""
    return _interval([1 / seconds for seconds in image_s])


def _ratio(first: tuple[float, ...], second: tuple[float, ...]) -> Interval:
    """Return `first` over `second`, repetition by repetition: what slows a whole repetition cancels."""
    return _interval([a / b for a, b in zip(first, second, strict=True)])


def _interval(values: list[float]) -> Interval:
    interval = across(values)
    if interval is None:
        raise ValueError("a rate needs at least two repetitions")  # the schema promises them
    return interval


def _sums(loading: Loading) -> tuple[float, ...]:
    """Return the seconds of an image in all stages together, for each repetition."""
    known = [stage.image_s for stage in loading.stages if stage.image_s is not None]
    return tuple(map(sum, zip(*known, strict=True)))


def _stage_cost(stage: LoadingStage, loading: Loading) -> StageCost:
    if stage.image_s is None:
        reason = loading.nulls.get(stage.name, "not measured")
        return StageCost(name=stage.name, images_per_s=None, share=None, reason=reason)
    shares = [part / whole for part, whole in zip(stage.image_s, _sums(loading), strict=True)]
    return StageCost(name=stage.name, images_per_s=_per_s(stage.image_s), share=statistics.mean(shares), reason=None)


def _path_rate(rate: LoadingRate, *, advised: bool) -> PathRate:
    return PathRate(
        path=rate.path,
        workers=rate.workers,
        images_per_s=_per_s(rate.image_s),
        first_batch_s=statistics.median(rate.first_batch_s),
        advised=advised,
    )


def _waits(rate: LoadingRate, network_image_s: tuple[float, ...]) -> Interval:
    """Return the share of the time in which the network waits for `rate`.

    Workers load the next batches while the network computes, so a step takes as long as the slower of the two. Without
    workers, loading and computing take turns, and the network waits for the loading of every image.
    """
    need = _ratio(rate.image_s, network_image_s)  # seconds of loading over seconds of computing

    def share(loading_s: float) -> float:
        return max(0.0, 1 - 1 / loading_s) if rate.workers else loading_s / (1 + loading_s)

    return Interval(share(need.value), share(need.low), share(need.high))
