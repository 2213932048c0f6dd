"""Measure the measuring: `python -m bench.selfbench` (or `nox -s bench-self`), some minutes on an idle machine.

Each row of its table is a promise with the figure that was seen. What is compared runs in workers that live at the
same time and are stepped in turn, as in a run; a reference is written by hand and shares no code with the harness.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from bench.device import Cpu
from bench.forkserver import SERVE, ForkServer
from bench.group import LiveCase
from bench.rotation import Hooks, Seat, rotate
from bench.timing import time_turn
from results import stats
from results.schema import Case, Settings

BY_HAND: Final = "bench.selfbench:by_hand"
SETTINGS: Final = Settings(replicates=1, target=0.002, budget_s=25, timeout_s=1200, time_limit_s=None)
Row = tuple[str, str, str, bool]
"""What, figure, bound, kept."""

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


def by_hand(connection: socket.socket) -> None:
    """Be the loop that anyone would write around a torchvision model, as a worker."""
    import torch  # noqa: PLC0415
    from torchvision.models import get_model  # type: ignore[attr-defined]  # noqa: PLC0415

    model: Any = None
    images: Any = None
    for line in connection.makefile("rb"):
        request = json.loads(line)
        if request["do"] == "prepare":
            case = request["case"]
            torch.set_num_threads(case["threads"])
            model = get_model(case["model"].removeprefix("torchvision:")).eval()
            images = torch.randn(case["batch_size"], 3, case["image_size"], case["image_size"])
            answer: dict[str, Any] = {"first_step_s": 0.0, "phases": [], "notes": []}
        else:
            times = []
            with torch.inference_mode():
                for _ in range(request["drop"] + request["steps"]):
                    began = time.perf_counter()
                    model(images)
                    times.append(time.perf_counter() - began)
            kept = times[request["drop"] :]
            answer = {"phase_s": [[seconds] for seconds in kept], "wall_s": sum(kept) / len(kept)}
        connection.sendall(json.dumps(answer).encode() + b"\n")


def paired(server: ForkServer, ours: Case, reference: Case, target: str = SERVE) -> stats.Interval | None:
    """Step two workers in turn and return our time over the reference's, with its interval."""
    lives = [LiveCase(server, ours, 0, SETTINGS.timeout_s), LiveCase(server, reference, 0, SETTINGS.timeout_s, target)]
    try:
        with tempfile.TemporaryDirectory() as cache:
            for live in lives:
                live.prepare(tempfile.mkdtemp(dir=cache))
            seat, base = (Seat(live.case, live) for live in lives)
            rotate((seat, base), base, SETTINGS, Hooks(left=_ignore, failed=_give_up, turned=_ignore))
            samples = lives[0].samples(seat)
    finally:
        for live in lives:
            live.close()
    first = samples.turn[samples.warmup] if samples.warmup < len(samples.turn) else 0
    turns: dict[int, list[float]] = {}
    for turn, step_s in zip(samples.turn, samples.step_s, strict=True):
        turns.setdefault(turn, []).append(step_s)
    ratios = [
        statistics.median(turns[turn]) / base_s
        for turn, base_s in enumerate(samples.baseline_s)
        if turn >= first and base_s is not None
    ]
    return stats.median_interval(ratios)


def fidelity(server: ForkServer, threads: int) -> Iterator[Row]:
    """Our harness around torchvision's model, against a loop by hand around the same model."""
    for name in ("resnet18", "resnet50"):
        case = _case(f"torchvision:{name}", threads)
        yield _ratio_row(f"fidelity: {name}, harness / loop by hand", paired(server, case, case, BY_HAND))


def same_model(server: ForkServer, threads: int) -> Iterator[Row]:
    """Our model against torchvision's, both in our harness."""
    for name in ("resnet18", "resnet50"):
        for task in ("inference", "training"):
            for runtime in ("eager", "compile"):
                axes = {"task": task, "runtime": runtime, "batch_size": 1 if task == "inference" else 4}
                ours, theirs = (_case(model, threads, **axes) for model in (name, f"torchvision:{name}"))
                yield _ratio_row(f"ours / torchvision: {name} {task} {runtime}", paired(server, ours, theirs))


def overhead(server: ForkServer, threads: int) -> Iterator[Row]:  # noqa: ARG001 - as the others are called
    """The loop's own time, which an empty step shows whole."""
    steps = 100_000
    costs = [time_turn(lambda mark: None, Cpu(), steps=steps).wall_s for _ in range(5)]  # noqa: ARG005
    cost = statistics.median(costs)
    yield f"overhead a step: {cost * 1e6:.2f} µs, of a step of 1 ms", f"{cost / 1e-3:.3%}", "≤ 0.2 %", cost <= 2e-6


def time_to_answer(server: ForkServer, threads: int) -> Iterator[Row]:  # noqa: ARG001 - as above
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
    figure = f"{ours:.1f} s / {theirs:.1f} s = {ours / theirs:.2f}"
    yield "time to an answer: resnet18, 34, 50 at batch 8", figure, "≤ 0.5", ours <= 0.5 * theirs


CHECKS: Final[dict[str, Callable[[ForkServer, int], Iterator[Row]]]] = {
    "overhead": overhead,
    "fidelity": fidelity,
    "answer": time_to_answer,
    "model": same_model,
}


def _case(model: str, threads: int, **axes: Any) -> Case:
    usual = {"task": "inference", "batch_size": 1, "precision": "fp32", "runtime": "eager", "layout": "nchw"}
    return Case(**{"model": model, "image_size": 224, "device": "cpu", "threads": threads, **usual, **axes})


def _ratio_row(what: str, interval: stats.Interval | None) -> Row:
    if interval is None:
        return what, "too few turns", "1.00 ± 0.03", False
    figure = f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
    return what, figure, "1.00 ± 0.03", abs(interval.value - 1) <= 0.03


def _ignore(*_: object) -> None:
    """Need nothing of what the rotation tells."""


def _give_up(_: Seat, failure: Exception) -> None:
    raise failure


def main() -> int:
    """Print the table; return 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.selfbench", description=__doc__)
    parser.add_argument("checks", nargs="*", choices=[[], *CHECKS], help="those to run; all, if none is named")
    checks = parser.parse_args().checks or list(CHECKS)
    kept = True
    with ForkServer() as server:
        worker = server.spawn()
        threads = worker.request({"do": "describe", "device": "cpu"}, timeout_s=120)["environment"]["torch_threads"]
        worker.close()
        for check in checks:
            for what, figure, bound, held in CHECKS[check](server, threads):
                sys.stdout.write(f"{'kept  ' if held else 'BROKEN'}  {what:58} {figure:32} {bound}\n")
                sys.stdout.flush()
                kept &= held
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
