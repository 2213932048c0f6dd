"""Loops written by hand, as workers, and the harness against them: pairs of fresh processes stepped in turn."""

import itertools
import socket
import tempfile
import time
from typing import Final

import numpy as np

from bench.process.client import WorkerClient
from bench.process.forkserver import SERVE, ForkServer
from bench.process.messages import Turn
from bench.process.protocol import serve_requests
from bench.schedule.rotation import Left, Lost, Rotation
from bench.schedule.seat import Seat
from results.metrics.levels import levels
from results.schema.case import Case
from results.statistics import intervals
from tests.bench.fakes import FakeWorker
from tests.selftest.rotating import SETTINGS
from tests.selftest.rows import Row

BY_HAND: Final = "tests.selftest.byhand:by_hand"
BY_EVENTS: Final = "tests.selftest.byhand:by_events"
BY_TURN: Final = "tests.selftest.byhand:by_turn"
PAIRS: Final = 5


class ByHand(FakeWorker):
    """The loop that anyone would write around a torchvision model, as a worker."""

    def prepare(self, request):
        import torch  # noqa: PLC0415
        from torchvision.models import get_model  # type: ignore[attr-defined]  # noqa: PLC0415

        case = request.case
        torch.set_num_threads(case.threads)
        self.model = get_model(case.model.removeprefix("torchvision:")).eval().to(case.device)
        self.images = torch.randn(case.batch_size, 3, case.image_size, case.image_size).to(case.device)
        return super().prepare(request)

    def turn(self, request):
        import torch  # noqa: PLC0415

        times = []
        with torch.inference_mode():
            for _ in range(request.drop + request.steps):
                began = time.perf_counter()
                self.model(self.images)
                times.append(time.perf_counter() - began)
        timed = times[request.drop :]
        return Turn(phase_s=tuple((seconds,) for seconds in timed), wall_s=sum(timed) / len(timed))


class ByEvents(ByHand):
    """The same loop on an accelerator, timed by an event at each border between steps."""

    each = True
    """Whether an event follows each step, or the last step of a turn alone."""

    def prepare(self, request):
        import torch  # noqa: PLC0415

        torch.accelerator.set_device_index(torch.device(request.case.device).index or 0)
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False  # as the label fp32 promises
        return super().prepare(request)

    def turn(self, request):
        import torch  # noqa: PLC0415

        def event():
            mark = torch.Event(self.case.device, enable_timing=True)
            mark.record()
            return mark

        with torch.inference_mode():
            for _ in range(request.drop):
                self.model(self.images)
            began = time.perf_counter()
            events = [event()]
            for number in range(1, request.steps + 1):
                self.model(self.images)
                if self.each or number == request.steps:
                    events.append(event())
            torch.accelerator.synchronize()
        wall_s = (time.perf_counter() - began) / request.steps
        steps = 1 if self.each else request.steps
        times = [first.elapsed_time(last) / 1e3 / steps for first, last in itertools.pairwise(events)] * steps
        return Turn(phase_s=tuple((seconds,) for seconds in times), wall_s=wall_s)


class ByTurn(ByEvents):
    """The same loop with two events a turn."""

    each = False


def by_hand(connection: socket.socket) -> None:
    """Be the loop by hand on `connection`."""
    serve_requests(connection, ByHand())


def by_events(connection: socket.socket) -> None:
    """Be the loop with an event at each border on `connection`."""
    serve_requests(connection, ByEvents())


def by_turn(connection: socket.socket) -> None:
    """Be the loop with two events a turn on `connection`."""
    serve_requests(connection, ByTurn())


def paired(server: ForkServer, ours: Case, reference: Case, target: str = SERVE) -> intervals.Interval | None:
    """Return our time over the reference's: `PAIRS` pairs of fresh processes, each pair stepped in turn.

    The interval is that across the pairs: where a process happens to lie in memory moves its times by more than the
    steps of one pair can show.
    """
    with tempfile.TemporaryDirectory() as folder:
        caches = [tempfile.mkdtemp(dir=folder) for _ in range(2)]  # later pairs compile from what the first left
        ratios = [_pair(server, ours, reference, target, caches) for _ in range(PAIRS)]
    return intervals.across([ratio for ratio in ratios if ratio is not None])


def _pair(server: ForkServer, ours: Case, reference: Case, target: str, caches: list[str]) -> float | None:
    lives = [WorkerClient(server, ours, 1, SETTINGS), WorkerClient(server, reference, 1, SETTINGS, target)]
    records = []
    try:
        for live, cache in zip(lives, caches, strict=True):
            live.prepare(cache)
        seats = {Seat(live.case, live): live for live in lives}
        for event in Rotation(tuple(seats), SETTINGS).events():
            if isinstance(event, Lost):
                raise event.failure
            if isinstance(event, Left):
                live = seats[event.seat]
                records.append((live is lives[0], live.end(event.seat.samples(live.phases), event.stop)))
    finally:
        for live in lives:
            live.close()
    own, other = (record for _, record in sorted(records, key=lambda pair: not pair[0]))
    fitted = levels([own, other], ["own", "other"]).level
    return None if np.isnan(fitted).any() else float(np.exp(fitted[0] - fitted[1]))


def ratio_row(what: str, interval: intervals.Interval | None, reach: float = 0.03) -> Row:
    """Return the row of a ratio that must be 1 within `reach`."""
    bound = f"1.00 ± {reach:g}"
    if interval is None:
        return Row(what, "too few turns", bound, None)
    figure = f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
    low, high = 1 - reach, 1 + reach
    inside, outside = low <= interval.low <= interval.high <= high, interval.low > high or interval.high < low
    return Row(what, figure, bound, inside or (None if not outside else False))
