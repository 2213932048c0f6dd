"""Measure the measuring: `nox -s bench-self`, some minutes on an idle machine.

Each row of its table is a promise with the measured figure: ``kept``, ``BROKEN``, or ``unsure`` where the interval
reaches over the bound. Workers that are compared live at the same time and are stepped in turn, as in a run; the
references are written by hand and share no code with the harness. `--write` puts the figures into docs/trust.md.
"""

import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from bench.measure.device import Cpu
from bench.measure.timing import time_turn
from bench.process import ask
from bench.process.client import WorkerClient
from bench.process.forkserver import SERVE, ForkServer
from bench.process.protocol import Turn, serve_requests
from bench.schedule.rotation import Left, Lost, Rotation
from bench.schedule.seat import Seat
from bench.tasks.inference import inference_step
from results.metrics.levels import levels
from results.metrics.table import table
from results.schema.case import Case
from results.schema.types import known
from results.statistics import intervals
from results.storage.reader import load
from tests.bench.fakes import FakeWorker
from tests.selftest.rotating import SETTINGS, carry_over, case_of, default_run, replicates_at_equal_time, worker_cost
from tests.selftest.rows import Row
from tests.selftest.session import finish, parsed

BY_HAND: Final = "tests.selftest.selfbench:by_hand"
PAIRS: Final = 5

_TIMM_LIKE: Final = """
import sys, time, torch, torchvision
from fvcore.nn import FlopCountAnalysis, ActivationCountAnalysis
model = torchvision.models.get_model(sys.argv[1]).eval().to(memory_format=torch.channels_last)
x = torch.randn(8, 3, 224, 224).contiguous(memory_format=torch.channels_last)
with torch.no_grad():
    for _ in range(10):
        model(x)
    began = time.perf_counter()
    for _ in range(40):
        model(x)
    rate = 8 * 40 / (time.perf_counter() - began)
    FlopCountAnalysis(model, x[:1]).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()
    ActivationCountAnalysis(model, x[:1]).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()
print(f"{rate:.1f} img/s")
"""


class ByHand(FakeWorker):
    """The loop that anyone would write around a torchvision model, as a worker."""

    def prepare(self, request):
        import torch  # noqa: PLC0415
        from torchvision.models import get_model  # type: ignore[attr-defined]  # noqa: PLC0415

        case = request.case
        torch.set_num_threads(case.threads)
        self.model = get_model(case.model.removeprefix("torchvision:")).eval()
        self.images = torch.randn(case.batch_size, 3, case.image_size, case.image_size)
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


def by_hand(connection: socket.socket) -> None:
    """Be the loop by hand on `connection`."""
    serve_requests(connection, ByHand())


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


def fidelity(server: ForkServer, threads: int) -> Iterator[Row]:
    """Our harness around torchvision's model, against a loop by hand around the same model."""
    for name in ("resnet18", "resnet50"):
        case = case_of(f"torchvision:{name}", threads)
        yield _ratio_row(f"fidelity: {name}, harness / loop by hand", paired(server, case, case, BY_HAND), 0.02)


def same_model(server: ForkServer, threads: int) -> Iterator[Row]:
    """Our model against torchvision's, both in our harness."""
    for name in ("resnet18", "resnet50"):
        for task in ("inference", "training"):
            for runtime in ("eager", "compile"):
                axes = {"task": task, "runtime": runtime, "batch_size": 1 if task == "inference" else 4}
                ours, theirs = (case_of(model, threads, **axes) for model in (name, f"torchvision:{name}"))
                yield _ratio_row(f"ours / torchvision: {name} {task} {runtime}", paired(server, ours, theirs))


def overhead(server: ForkServer, threads: int) -> Iterator[Row]:
    """The loop's own time, which an empty step shows whole."""
    import torch  # noqa: PLC0415

    nothing = torch.zeros(1)
    step = inference_step(case_of("resnet18", 1), lambda: nothing)
    cost = statistics.median(time_turn(step, Cpu(), steps=20).wall_s for _ in range(2_000))  # the turns of a run
    what = f"overhead a step: {cost * 1e6:.2f} µs, of a step of 1 ms"
    yield Row(what, f"{cost / 1e-3:.3%}", "≤ 0.2 %", cost <= 2e-6)


def time_to_answer(server: ForkServer, threads: int) -> Iterator[Row]:
    """Three ResNets at batch 8, against a script that does what timm's benchmark.py does."""
    models = ("resnet18", "resnet34", "resnet50")
    began = time.perf_counter()
    for model in models:
        subprocess.run([sys.executable, "-c", _TIMM_LIKE, model], check=True, stdout=subprocess.DEVNULL)
    theirs = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        axes = ["--model", ",".join(models), "--batch-size", "8", "--layout", "nhwc", "--device", "cpu"]
        command = [sys.executable, "-m", "bench", "run", *axes, "--out", folder, "--no-report"]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ours = time.perf_counter() - began
        frame = table(load(folder))
    certain = int(frame["latency_low_s"].notna().sum())
    figure = f"{ours:.1f} s / {theirs:.1f} s = {ours / theirs:.2f}"
    held = ours <= 0.5 * theirs and certain == len(models) == len(frame)
    yield Row(f"time to an answer: resnet18, 34, 50 at batch 8, {certain} intervals", figure, "≤ 0.5", held)


def static_cost(server: ForkServer, threads: int) -> Iterator[Row]:
    """The whole registry at 224 pixels, in one fresh process."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "bench", "cost", "all", "--image-size", "224", "--format", "json"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - began
    yield Row("static cost: every variant at 224 pixels", f"{took:.1f} s", "≤ 45 s", took <= 45)


def start(server: ForkServer, threads: int) -> Iterator[Row]:
    """Processor time of the commands that must not wait for torch."""
    for argument, bound in (("--help", 0.4), ("list", 1.0)):
        times = [_cpu_s([sys.executable, "-m", "bench", argument]) for _ in range(5)]
        took = statistics.median(times)
        yield Row(f"resnet-bench {argument}: processor time", f"{took:.2f} s", f"≤ {bound} s", took <= bound)


def _cpu_s(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


CHECKS: Final[dict[str, Callable[[ForkServer, int], Iterator[Row]]]] = {
    "start": start,
    "static": static_cost,
    "overhead": overhead,
    "fidelity": fidelity,
    "answer": time_to_answer,
    "model": same_model,
    "worker": worker_cost,
    "carry": carry_over,
    "default": default_run,
    "replicates": replicates_at_equal_time,
}


def _ratio_row(what: str, interval: intervals.Interval | None, reach: float = 0.03) -> Row:
    bound = f"1.00 ± {reach:g}"
    if interval is None:
        return Row(what, "too few turns", bound, None)
    figure = f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
    low, high = 1 - reach, 1 + reach
    inside, outside = low <= interval.low <= interval.high <= high, interval.low > high or interval.high < low
    return Row(what, figure, bound, inside or (None if not outside else False))


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 if a promise is broken, else 3 if a figure is not certain enough."""
    options = parsed(arguments, name="bench-self", purpose=__doc__, choices=CHECKS)
    with ForkServer() as server:
        _, environment = ask.environment(server, {"cpu"})
        threads = known(environment.torch_threads)
        return finish("bench-self", options.names, lambda name: CHECKS[name](server, threads), write=options.write)


if __name__ == "__main__":
    sys.exit(main())
