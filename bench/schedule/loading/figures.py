"""The figures of a loading, repetition by repetition.

Each repetition measures every figure once, in another order, so that a machine that changes its speed changes all of
them alike.
"""

import time
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from bench.machine.cpu import usable_cores
from bench.process.loading import BatchesTimed, DataOpened, TimeBatches, TimeStages
from bench.schedule.loading.clients import LOADING_PATIENCE_S, LoaderClient, NetworkClient
from bench.schedule.loading.request import LoadingRequest, worker_counts
from bench.schedule.progress import Progress, Show
from results.analysis.loading import NEAR_BEST
from results.schema.lines.loading import LOADING_STAGES, LoadingRate, LoadingStage

REPETITIONS: Final = 5
LoadingPath = Literal["DataLoader", "slices"]
_LOADER: Final = "DataLoader"


class _Task(NamedTuple):
    """A figure to measure."""

    name: str
    measure: Callable[[], None]


class LoadingFigures:
    """The figures of a loading, with a value for each repetition."""

    def __init__(
        self, loader: LoaderClient, network: NetworkClient, opened: DataOpened, request: LoadingRequest
    ) -> None:
        self._loader, self._network, self._opened, self._request = loader, network, opened, request
        self._stage_s: dict[str, list[float]] = {}
        self._batches: dict[tuple[LoadingPath, int], list[BatchesTimed]] = {}
        self.left_out: tuple[int, ...] = ()
        """Numbers of workers that were not measured."""

    def measure(self, show: Show) -> None:
        """Measure every figure once in each repetition."""
        others = self._other_tasks()
        counts = sorted(set(self._request.workers or worker_counts(usable_cores())))
        loaders = [_Task(f"{count} workers", self._timing(_LOADER, count)) for count in counts]
        progress = _Shown(show, REPETITIONS * (len(others) + len(loaders)))
        for task in others:
            progress.run(task)
        for number, task in enumerate(loaders, start=1):
            progress.run(task)
            if self._request.workers is None and self._slower(counts[:number]):
                self.left_out = tuple(counts[number:])
                progress.total -= REPETITIONS * len(self.left_out)
                break
        tasks = others + loaders[: len(loaders) - len(self.left_out)]
        for repetition in range(1, REPETITIONS):
            turn = repetition % len(tasks)
            for task in tasks[turn:] + tasks[:turn]:
                progress.run(task)

    def _other_tasks(self) -> list[_Task]:
        slices = [_Task("slices", self._timing(path, 0)) for path in self._opened.paths if path != _LOADER]
        return [_Task("stages", self._time_stages), _Task("network", self._network.measure), *slices]

    def _slower(self, counts: list[int]) -> bool:
        """Return whether the last of `counts` was slower than the best of fewer workers.

        A single worker may be slower than none, as its batches go from process to process: two may still be faster.
        """
        times = [self._batches[_LOADER, count][0].image_s for count in counts if count]
        return len(times) > 1 and times[-1] * (1 - NEAR_BEST) > min(times[:-1])

    def _time_stages(self) -> None:
        seconds = self._request.seconds
        timed = self._loader.answer(TimeStages(seconds=seconds), LOADING_PATIENCE_S + seconds)
        for name, image_s in timed.image_s.items():
            self._stage_s.setdefault(name, []).append(image_s)

    def _timing(self, path: LoadingPath, workers: int) -> Callable[[], None]:
        """Return the function that times batches."""
        request = TimeBatches(path=path, workers=workers, seconds=self._request.seconds)

        def measure() -> None:
            timed = self._loader.answer(request, LOADING_PATIENCE_S + self._request.seconds)
            self._batches.setdefault((path, workers), []).append(timed)

        return measure

    def stages(self) -> tuple[LoadingStage, ...]:
        """Return the cost of each stage."""
        times = {name: tuple(self._stage_s[name]) if name in self._stage_s else None for name in LOADING_STAGES}
        return tuple(LoadingStage(name=name, image_s=image_s) for name, image_s in times.items())

    def rates(self) -> tuple[LoadingRate, ...]:
        """Return the rate of each path and number of workers."""
        return tuple(
            LoadingRate(
                path=path,
                workers=workers,
                first_batch_s=tuple(each.first_batch_s for each in timed),
                image_s=tuple(each.image_s for each in timed),
            )
            for (path, workers), timed in self._batches.items()
        )


class _Shown:
    """Runs tasks and shows the progress of all."""

    def __init__(self, show: Show, total: int) -> None:
        self._show = show
        self._began = time.perf_counter()
        self._done = 0
        self.total = total

    def run(self, task: _Task) -> None:
        """Show the task, and run it."""
        spent = time.perf_counter() - self._began
        left = spent * (self.total / self._done - 1) if self._done else None
        self._show(Progress(phase="measuring", case=task.name, done=self._done, total=self.total, seconds_left=left))
        task.measure()
        self._done += 1
