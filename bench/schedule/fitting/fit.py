"""The largest batch of a case that fits in a memory: by prediction, and on request by measured trials."""

import dataclasses
import math
import pathlib
import time
from typing import Final

from msgspec import structs

from bench.machine import memory
from bench.machine.clock import now
from bench.machine.device_names import is_cpu
from bench.process.ask import ask
from bench.process.forkserver import ForkServer, WorkerDied
from bench.process.messages import MeasureFootprint, TakeTurn
from bench.process.profiling.messages import PredictMemory
from bench.process.protocol import Failed
from bench.schedule.fitting.search import largest_fit
from bench.schedule.profiling.explain import EXPLAIN_PATIENCE_S, CaseWorker
from bench.schedule.progress import Progress, Show, ignore
from bench.schedule.run import private_folder
from results.schema.case import Case
from results.schema.lines.memory import BatchTrial, LargestBatch, PredictedBatch

PROBED_BATCH: Final = 16
"""The batch whose prediction gives, with that of a single image, the bytes of each further image."""
USABLE_SHARE: Final = 0.9
"""The most of the host's free memory that a trial may be expected to take: beyond, the kernel would kill processes."""


class Unfitted(Exception):  # noqa: N818 - an outcome, whose message is for people
    """Not even a single image can be tried, for a cause that memory does not explain."""


def largest_batch(
    server: ForkServer,
    case: Case,
    memory_bytes: int,
    *,
    verify: bool,
    time_limit_s: float = math.inf,
    show: Show = ignore,
) -> LargestBatch:
    """Return the largest batch of `case` that fits in so many bytes.

    Args:
        server: forks the workers.
        case: the case; its own batch does not matter.
        memory_bytes: the limit, of all that a process takes beyond an idle process with torch.
        verify: whether to measure batches around the predicted batch, each in a fresh worker.
        time_limit_s: seconds after which no further batch is tried.
        show: takes the progress.

    Raises:
        Unfitted: a step of a single image fails for another cause than memory.
    """
    began, started = time.perf_counter(), now()
    predictor = _Predictor(server, case)
    try:
        trials = _Trials(server, case, memory_bytes, predictor, began + time_limit_s, show)
        answer = _searched(trials, predictor, memory_bytes, verify=verify)
    finally:
        predictor.close()
    return structs.replace(
        answer,
        predictions=predictor.predictions,
        trials=tuple(trials.made.values()),
        started=started,
        duration_s=time.perf_counter() - began,
        notes=trials.notes,
        nulls={} if predictor.reason is None else {"predicted_batch": predictor.reason},
    )


def _searched(trials: "_Trials", predictor: "_Predictor", memory_bytes: int, *, verify: bool) -> LargestBatch:
    """Return the batches that were predicted and verified."""
    first = trials.run(1)
    if first.outcome == "failed":
        raise Unfitted(first.cause or "it failed")
    holds = first.outcome == "fits"
    own, growth = _own_bytes(first, predictor), _growth(trials, predictor) if holds else 1.0
    trials.process_bytes = own or 0
    predicted = None
    if holds and first.peak_bytes is not None:
        predicted = predictor.largest((memory_bytes - first.peak_bytes) / growth)
    if verify and holds:
        largest_fit(trials.fits, predicted or 1)
    fitting = [trial.batch_size for trial in trials.made.values() if trial.outcome == "fits"]
    verified = max(fitting, default=None) if verify else None
    return LargestBatch(
        case=structs.replace(trials.case, batch_size=verified or predicted or 1),
        memory_bytes=memory_bytes,
        process_bytes=own,
        growth=growth,
        predicted_batch=predicted,
        verified_batch=verified,
        predictions=(),
        started=now(),
        duration_s=0.0,
    )


def _own_bytes(first: BatchTrial, predictor: "_Predictor") -> int | None:
    """Return what a process takes beyond its tensors, None where a peak or a prediction is missing."""
    tensors = predictor.bytes_of(1)
    return None if first.peak_bytes is None or tensors is None else max(0, first.peak_bytes - tensors)


def _growth(trials: "_Trials", predictor: "_Predictor") -> float:
    """Return the bytes that a process grows by for each byte of tensors, from two batches that were run; 1 at least.

    An allocator keeps what was freed: on a CPU the resident size grows faster than the tensors.
    """
    single, several = predictor.bytes_of(1), predictor.bytes_of(PROBED_BATCH)
    if single is None or several is None or several <= single:
        return 1.0
    first, second = trials.run(1), trials.run(PROBED_BATCH)
    if first.peak_bytes is None or second.peak_bytes is None:
        return 1.0
    return max(1.0, (second.peak_bytes - first.peak_bytes) / (several - single))


class _Predictor:
    """Predicts the memory of batches in a worker of its own."""

    def __init__(self, server: ForkServer, case: Case) -> None:
        self._case = case
        self._channel = server.spawn()
        self._known: dict[int, int] = {}
        self.reason: str | None = None
        """Why nothing can be predicted."""

    @property
    def predictions(self) -> tuple[PredictedBatch, ...]:
        """What was predicted, by batch."""
        return tuple(PredictedBatch(batch_size=b, peak_bytes=p) for b, p in sorted(self._known.items()))

    def bytes_of(self, batch: int) -> int | None:
        """Return the predicted peak of a batch, None if it cannot be predicted."""
        if batch not in self._known and self.reason is None:
            request = PredictMemory(case=structs.replace(self._case, batch_size=batch))
            try:
                answer = ask(self._channel, request, timeout_s=EXPLAIN_PATIENCE_S)
                self._known[batch] = answer.parts.total
            except (Failed, WorkerDied) as failure:
                self.reason = f"not predicted: {failure}"[:4096]
        return self._known.get(batch)

    def largest(self, more_bytes: float) -> int | None:
        """Return the largest batch whose tensors take so many bytes more than those of an image; None if unknown."""
        single, several = self.bytes_of(1), self.bytes_of(PROBED_BATCH)
        if single is None or several is None:
            return None
        image, limit = max(1, (several - single) // (PROBED_BATCH - 1)), single + more_bytes
        return largest_fit(lambda batch: (self.bytes_of(batch) or 0) <= limit, int(more_bytes // image) + 1)

    def close(self) -> None:
        """End the worker."""
        self._channel.close()


class _Trials:
    """Runs batches, each once and in a fresh worker."""

    def __init__(
        self, server: ForkServer, case: Case, limit: int, predictor: _Predictor, deadline: float, show: Show
    ) -> None:
        self._server, self.case, self._limit = server, case, limit
        self._predictor, self._deadline, self._show = predictor, deadline, show
        self.process_bytes = 0
        self.made: dict[int, BatchTrial] = {}
        self.notes: tuple[str, ...] = ()

    def fits(self, batch: int) -> bool:
        """Return whether a batch fits; after the deadline none does that was not tried."""
        if batch not in self.made and time.perf_counter() > self._deadline:
            self.notes = ("the time limit ended the search: a larger batch may fit",)
            return False
        return self.run(batch).outcome == "fits"

    def run(self, batch: int) -> BatchTrial:
        """Try a batch, unless it was tried."""
        if batch not in self.made:
            name = f"batch {batch}"
            self._show(Progress(phase="measuring", case=name, done=len(self.made), total=0, seconds_left=None))
            self.made[batch] = self._too_large(batch) or self._tried(batch)
        return self.made[batch]

    def _too_large(self, batch: int) -> BatchTrial | None:
        """Return the trial of a batch that the host could not hold, without running it."""
        expected = (self._predictor.bytes_of(batch) or 0) + self.process_bytes
        free = USABLE_SHARE * memory.available()
        if not is_cpu(self.case.device) or expected <= free:
            return None
        cause = f"not run: it would take {expected / 1e9:.1f} GB, and {free / 1e9:.1f} GB may be used"
        return BatchTrial(batch_size=batch, outcome="too-large", peak_bytes=None, step_s=None, cause=cause)

    def _tried(self, batch: int) -> BatchTrial:
        worker = CaseWorker(self._server, structs.replace(self.case, batch_size=batch))
        empty = BatchTrial(batch_size=batch, outcome="failed", peak_bytes=None, step_s=None)
        try:
            with private_folder() as folder:
                worker.prepare(str(pathlib.Path(folder)))
                step_s = worker.answer(TakeTurn(steps=1, drop=1)).wall_s
                taken = worker.answer(MeasureFootprint())
        except Failed as failure:
            outcome = "out-of-memory" if failure.status == "out-of-memory" else "failed"
            return structs.replace(empty, outcome=outcome, cause=failure.cause[:4096])
        finally:
            worker.close()
        peak = taken.host_bytes if taken.device_bytes is None else taken.device_bytes
        fits = peak <= self._limit
        return structs.replace(empty, outcome="fits" if fits else "too-large", peak_bytes=peak, step_s=step_s)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """What `fit` is asked."""

    memory_bytes: int
    verify: bool
    time_limit_s: float | None
