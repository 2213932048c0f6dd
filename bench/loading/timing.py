"""Time loading: batches as they come from an iterator, and the stages of a single process."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from bench.process.loading import BatchesTimed

AHEAD: Final = 2
"""Batches that each worker of a `DataLoader` loads ahead (its ``prefetch_factor``): so many may come in a burst."""


class Stage(NamedTuple):
    """A stage of loading."""

    name: str
    run: Callable[[Any], Any]
    """From what the stage before returned to its own result."""


class Stages(Protocol):
    """The stages of a data set, as `time_stages` takes them."""

    @property
    def image(self) -> Sequence[Stage]:
        """Stages of an image; the first takes its index."""

    @property
    def batch(self) -> Sequence[Stage]:
        """Stages of a batch; the first takes the list of what the last stage of an image returned."""


def time_stages(
    stages: Stages, batches: Iterator[list[int]], *, seconds: float, clock: Callable[[], float]
) -> dict[str, float]:
    """Return the mean seconds of an image in each stage, over whole batches of at least so many `seconds`.

    Args:
        stages: the stages of the data set.
        batches: indices of the images of each batch, without end. The first batch is not timed.
        seconds: least seconds of all timed stages together.
        clock: returns seconds.
    """
    _time_batch(stages, next(batches), {}, clock)
    spent: dict[str, float] = {}
    images = 0
    while not images or sum(spent.values()) < seconds:
        indices = next(batches)
        _time_batch(stages, indices, spent, clock)
        images += len(indices)
    return {name: value / images for name, value in spent.items()}


def _time_batch(stages: Stages, indices: list[int], spent: dict[str, float], clock: Callable[[], float]) -> None:
    """Load a batch, and add the seconds of each stage to `spent`."""

    def through(value: Any, parts: Sequence[Stage]) -> Any:
        before = clock()
        for name, run in parts:
            value = run(value)
            after = clock()
            spent[name] = spent.get(name, 0.0) + after - before
            before = after
        return value

    images = [through(index, stages.image) for index in indices]
    through(images, stages.batch)


def time_batches(
    begin: Callable[[], Iterator[int]], *, workers: int, seconds: float, clock: Callable[[], float]
) -> BatchesTimed:
    """Return the time until the first batch, and the seconds of an image once batches come steadily.

    Workers take turns, and each loads a batch at a time, so that batches come in rounds, a batch from each worker. The
    first rounds, loaded ahead, are dropped, and whole rounds are timed.

    Args:
        begin: starts an iterator of batches without end, which yields the number of images of a batch that is on its
            device.
        workers: processes that load the batches, 0 for this process.
        seconds: least seconds of the timed rounds.
        clock: returns seconds.
    """
    began = clock()
    batches = begin()
    next(batches)
    first = clock() - began
    a_round = max(1, workers)
    for _ in range(AHEAD * a_round):
        next(batches)
    began = now = clock()
    images = 0
    while not images or now - began < seconds:
        images += sum(next(batches) for _ in range(a_round))
        now = clock()
    return BatchesTimed(first_batch_s=first, image_s=(now - began) / images)
