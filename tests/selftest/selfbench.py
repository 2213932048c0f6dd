"""Measure the measuring: `nox -s bench-self`, some minutes on an idle machine.

Each row of its table is a promise with the measured figure: ``kept``, ``BROKEN``, or ``unsure`` where the interval
reaches over the bound. Workers that are compared live at the same time and are stepped in turn, as in a run; the
references are written by hand and share no code with the harness. `--write` puts the figures into docs/trust.md.
`--device cuda:0` measures the rows of an accelerator in place of those of the CPU.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Final

from bench.machine.device_names import is_cpu
from bench.measure.device import Cpu
from bench.measure.timing import time_turn
from bench.process import ask
from bench.process.forkserver import ForkServer
from bench.process.protocol import Failed
from bench.tasks.inference import inference_step
from results.errors import InputError
from results.metrics.table import table
from results.schema.types import known
from results.storage.reader import load
from tests.selftest.byhand import BY_EVENTS, BY_HAND, BY_TURN, paired, ratio_row
from tests.selftest.engines_by_hand import LOOPS
from tests.selftest.rotating import carry_over, case_of, default_run, replicates_at_equal_time, worker_cost
from tests.selftest.rows import Row
from tests.selftest.session import finish, parsed

ON_ACCELERATOR: Final = (("torchvision:resnet18", 1), ("torchvision:resnet50", 64))
"""Models and batches: steps that the launches take, and steps that the arithmetic takes."""
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


def fidelity(server: ForkServer, threads: int) -> Iterator[Row]:
    """Our harness around torchvision's model, against a loop by hand around the same model."""
    for name in ("resnet18", "resnet50"):
        case = case_of(f"torchvision:{name}", threads)
        yield ratio_row(f"fidelity: {name}, harness / loop by hand", paired(server, case, case, BY_HAND), 0.02)


def engines(server: ForkServer, threads: int) -> Iterator[Row]:
    """Our harness around engines that are not torch, against loops by hand around the same engine."""
    for runtime, precision in (("onnxruntime", "fp32"), ("openvino", "fp32"), ("openvino", "amp-bf16")):
        case = case_of("resnet50", threads, runtime=runtime, precision=precision)
        what = f"fidelity: resnet50 {runtime} {precision}, harness / loop by hand"
        try:
            yield ratio_row(what, paired(server, case, case, LOOPS[runtime]), 0.02)
        except Failed as failure:
            yield Row(what, failure.cause, "1.00 ± 0.02", None)


def events(server: ForkServer, threads: int, device: str) -> Iterator[Row]:
    """Our harness on an accelerator, against a loop by hand with an event at each border between steps."""
    for model, batch_size in ON_ACCELERATOR:
        case = case_of(model, threads, device=device, batch_size=batch_size)
        what = f"fidelity: {model} b{batch_size} on {device}, harness / loop by hand with events"
        yield ratio_row(what, paired(server, case, case, BY_EVENTS), 0.02)


def marks(server: ForkServer, threads: int, device: str) -> Iterator[Row]:
    """Our harness, which marks each step, against a loop by hand with two events a turn: what the marks cost."""
    for model, batch_size in ON_ACCELERATOR:
        case = case_of(model, threads, device=device, batch_size=batch_size)
        what = f"cost of marks: {model} b{batch_size} on {device}, marks a step / marks a turn"
        yield ratio_row(what, paired(server, case, case, BY_TURN), 0.02)


def same_model(server: ForkServer, threads: int) -> Iterator[Row]:
    """Our model against torchvision's, both in our harness."""
    for name in ("resnet18", "resnet50"):
        for task in ("inference", "training"):
            for runtime in ("eager", "compile"):
                axes = {"task": task, "runtime": runtime, "batch_size": 1 if task == "inference" else 4}
                ours, theirs = (case_of(model, threads, **axes) for model in (name, f"torchvision:{name}"))
                yield ratio_row(f"ours / torchvision: {name} {task} {runtime}", paired(server, ours, theirs))


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
    "engines": engines,
    "answer": time_to_answer,
    "model": same_model,
    "worker": worker_cost,
    "carry": carry_over,
    "default": default_run,
    "replicates": replicates_at_equal_time,
}
ACCELERATED: Final[dict[str, Callable[[ForkServer, int, str], Iterator[Row]]]] = {
    "events": events,
    "marks": marks,
    "carry": carry_over,
}
"""Rows of an accelerator. None has been measured yet, so that the documents hold none."""


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 if a promise is broken, 2 for bad input, else 3 if a figure is not certain enough."""
    choices = dict.fromkeys((*CHECKS, *ACCELERATED))
    options = parsed(arguments, name="bench-self", purpose=__doc__, choices=choices, device=True)
    with ForkServer() as server:
        try:
            (device,), environment = ask.environment(server, {options.device})
        except InputError as error:
            return _refused(str(error))
        checks = CHECKS if is_cpu(device) else ACCELERATED
        names = [name for name in options.names if name in checks]
        if not names:
            return _refused(f"{device} has no such rows (rows: {', '.join(checks)})")
        if options.write and checks is ACCELERATED:
            return _refused("--write is for the figures of a CPU; the documents hold none of an accelerator")
        threads = known(environment.torch_threads)

        def measure(name: str) -> Iterator[Row]:
            return CHECKS[name](server, threads) if is_cpu(device) else ACCELERATED[name](server, threads, device)

        return finish("bench-self", names, measure, write=options.write)


def _refused(reason: str) -> int:
    sys.stderr.write(f"bench-self: {reason}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
