"""Synthetic but valid run files of any number of records, for timing what reads them.

A collection is that of a laboratory: `_MACHINES` machines, each with one run of the base and one of the new code, in
which every variant runs with each of `_SETTINGS`. Times, steps and turns differ from record to record.
"""

import itertools
import math
import random
import zlib
from pathlib import Path
from typing import Final

import msgspec

from results.schema.axes import BASELINE
from results.schema.case import Case
from results.schema.kinds import kind_of
from results.schema.labels import PROMISES, RUNTIMES
from results.schema.lines.record import Equality, Facts, Noise, Ran, Record, Samples
from results.schema.lines.run import End, Environment, RunHeader, Settings
from results.schema.lines.static import Layer, Stage, Static
from results.schema.types import Stored, known

_MACHINES: Final = 5
_SETTINGS: Final = tuple(
    (precision, runtime, layout)
    for precision, runtime in (
        ("fp32", "eager"),
        ("fp32", "compile"),
        ("amp-bf16", "eager"),
        ("amp-bf16", "compile"),
        ("bf16", "compile:reduce-overhead"),
    )
    for layout in ("nchw", "nhwc")
)
RECORDS_A_VARIANT: Final = 2 * _MACHINES * len(_SETTINGS)
"""Records of one variant over both sides, at one replicate a case."""
_FAILED: Final = 0.02
"""Share of records that have no samples, only a cause."""
_TOGETHER: Final = 20
"""Cases that take turns with one another."""
_SPREAD: Final = 0.01
"""Standard deviation of the logarithms of a process's steps."""


def write(folder: Path, records: int, *, replicates: int = 1) -> int:
    """Write ``base/`` and ``new/`` with `records` in all, and return their bytes; the same each time.

    Raises:
        ValueError: They cannot be spread evenly over machines, settings and replicates.
    """
    variants, rest = divmod(records, RECORDS_A_VARIANT * replicates)
    if rest:
        raise ValueError(f"{records} records are no multiple of {RECORDS_A_VARIANT * replicates}")
    statics = [_static(index) for index in range(variants)]
    size = 0
    for side in ("base", "new"):
        (folder / side).mkdir(parents=True)
        for machine in range(_MACHINES):
            name = f"20261122-003812-{side}-machine{machine}"
            size += _write_run(folder / side / f"{name}.jsonl", name, machine, statics, replicates)
    return size


def write_machines(folder: Path, machines: int, variants: int) -> None:
    """Write a run of each of `machines` with `variants` in one setting, three replicates each."""
    statics = [_static(index) for index in range(variants)]
    for machine in range(machines):
        name = f"20261122-003812-page-machine{machine}"
        _write_run(folder / f"{name}.jsonl", name, machine, statics, 3, settings=_SETTINGS[:1])


def _write_run(
    path: Path,
    name: str,
    machine: int,
    statics: list[Static],
    replicates: int,
    settings: tuple[tuple[str, str, str], ...] = _SETTINGS,
) -> int:
    rng = random.Random(name)
    plan = [
        Case(
            model=static.model,
            task="inference",
            batch_size=32,
            image_size=224,
            device="cuda:0",
            precision=precision,
            runtime=runtime,
            layout=layout,
            threads=8,
        )
        for static in statics
        for precision, runtime, layout in settings
    ]
    sampling = Settings(replicates=replicates, target=0.01, budget_s=5.0, timeout_s=60.0, time_limit_s=None)
    run = RunHeader(
        id=name,
        started="2026-11-22T00:38:12Z",
        suite="scale",
        settings=sampling,
        environment=_environment(machine),
        plan=tuple(plan),
    )
    bodies = itertools.chain(
        [run],
        statics,
        (
            _record(rng, case, replicate, machine, index)
            for index, case in enumerate(plan)
            for replicate in range(replicates)
        ),
        [End(status="complete", records=len(plan) * replicates)],
    )
    with path.open("wb") as file:
        file.writelines(_line(number, body) for number, body in enumerate(bodies, start=1))
    return path.stat().st_size


def _line(number: int, body: Stored) -> bytes:
    """Return the bytes of `results.storage.lines.encode`, whose own check would double the time."""
    rest = msgspec.json.encode({"line": number, "kind": kind_of(body), "body": body})[1:]
    return b'{"crc32":"%08x",' % zlib.crc32(rest) + rest + b"\n"


def _record(rng: random.Random, case: Case, replicate: int, machine: int, index: int) -> Record:
    """Return a record as a run writes it: 20 to 40 steps in 10 to 20 turns, or a failure; `index` is that of its case.

    Each `_TOGETHER` cases that follow one another take turns in a part of their own.
    """
    baseline_s = (0.01 + zlib.crc32(case.model.encode()) / 2**34) / (1 + machine)
    part, seat = divmod(index, _TOGETHER)
    began_s = 1000.0 * (replicate * 10_000 + part) + seat
    samples = _samples(rng, case, baseline_s, part, began_s)
    failed = rng.random() < _FAILED
    compiled = RUNTIMES[case.runtime].compiles
    nothing = {} if compiled else dict.fromkeys(("compile_s", "graph_breaks"), "nothing is compiled")
    errors = {"error": 1e-6, "baseline_error": 1e-6, "allowed": 1e-4}
    return Record(
        case=case,
        replicate=replicate,
        status="out-of-memory" if failed else "ok",
        cause="CUDA out of memory: tried to allocate 392 MiB" if failed else None,
        started=f"2026-11-22T{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}.801+00:00",
        duration_s=3 * sum(samples.step_s),
        samples=None if failed else samples,
        facts=Facts(
            first_step_s=samples.step_s[0] * 3 + 20 * compiled,
            compile_s=20.0 + rng.random() if compiled else None,
            graph_breaks=0 if compiled else None,
            recompiles=0 if compiled else None,
            peak_allocated_bytes=rng.randrange(2**28, 2**30),
            peak_reserved_bytes=2**30,
        ),
        nulls={"peak_resident_bytes": "only measured on a CPU", **nothing},
        ran=None if failed else _ran(case),
        equality=None if failed or case.is_baseline else Equality(verdict="equal", what="output", **errors),
        noise=Noise(other_cpus=rng.random() / 3, steal=0.0, cpu_pressure=rng.random() / 10, memory_pressure=0.0),
        budget_s=5.0,
        stop=rng.choice(("target", "target", "budget")),
    )


def _samples(rng: random.Random, case: Case, baseline_s: float, part: int, began_s: float) -> Samples:
    gains = {"precision": 1.6, "runtime": 1.3, "layout": 1.1}
    gain = math.prod(gains[axis] for axis, value in BASELINE.items() if getattr(case, axis) != value)
    step_s = baseline_s * rng.lognormvariate(0, 0.003) / gain
    turns = rng.randint(10, 20)
    steps = [step_s * rng.lognormvariate(0, _SPREAD) for _ in range(2 * turns)]
    return Samples(
        step_s=tuple(steps),
        turn=tuple(index // 2 for index in range(2 * turns)),
        wall_s=tuple((steps[index] + steps[index + 1]) / 2 * 1.002 for index in range(0, 2 * turns, 2)),
        at_s=tuple(began_s + (_TOGETHER + 1) * turn for turn in range(turns)),
        part=(part,) * turns,
        warmup=rng.choice((0, 0, 0, 2, 4)),
        steady=True,
    )


def _ran(case: Case) -> Ran:
    promise = PROMISES[case.precision]
    return Ran(
        parameter_dtypes=(promise.weights,),
        compute_dtypes=(promise.compute,),
        layout=case.layout,
        tf32_matmul=promise.tf32,
        tf32_convolution=promise.tf32,
        autocast=promise.autocast,
        grad_scaler=False,
        threads=known(case.threads),
        batch_size=case.batch_size,
        image_size=case.image_size,
    )


def _static(index: int) -> Static:
    """Return the cost of a variant of 20 to 100 layers."""
    layers = tuple(
        Layer(
            name=f"layer{1 + number // 25}.{number % 25}.conv{number % 3}",
            type="Conv2d",
            stage=f"layer{1 + number // 25}",
            output_shape=(1, 64, 56, 56),
            parameters=36_864 + index,
            macs=115_605_504,
            activations=200_704,
        )
        for number in range(20 + index % 80)
    )
    stages = [
        Stage(
            name=name,
            parameters=sum(layer.parameters for layer in layers if layer.stage == name),
            macs=sum(layer.macs for layer in layers if layer.stage == name),
            activations=sum(layer.activations for layer in layers if layer.stage == name),
        )
        for name in dict.fromkeys(layer.stage for layer in layers)
    ]
    parameters, macs = sum(stage.parameters for stage in stages), sum(stage.macs for stage in stages)
    return Static(
        model=f"resnet{len(layers)}_variant{index:04}",
        family="resnet",
        block="bottleneck" if index % 2 else "basic",
        depth=len(layers),
        image_size=224,
        num_classes=1000,
        parameters=parameters,
        trainable_parameters=parameters,
        buffers=53_120,
        model_bytes={"fp32": 4 * parameters, "fp16": 2 * parameters, "bf16": 2 * parameters},
        macs=macs,
        training_flops=6 * macs,
        fvcore_macs=macs,
        activations=sum(stage.activations for stage in stages),
        arithmetic_intensity=43.0,
        uncounted=(),
        imagenet_top1=0.7 + (index % 100) / 1000 if index % 2 else None,
        imagenet_weights="IMAGENET1K_V2" if index % 2 else None,
        layers=layers,
        stages=tuple(stages),
    )


def _environment(machine: int) -> Environment:
    return Environment(
        cpu=f"Synthetic CPU {machine}",
        cpu_flags=("avx2", "avx512f"),
        physical_cores=8,
        logical_cores=16,
        usable_cores=16,
        governor="performance",
        cgroup_cpus=None,
        cgroup_memory_bytes=None,
        memory_bytes=64 * 2**30,
        accelerators=(),
        os="Linux",
        kernel="6.8.0",
        python="3.11.9",
        torch="2.14.1",
        torch_build={"CUDA": "12.8"},
        torch_threads=8,
        torch_interop_threads=8,
        variables={},
        torchvision="0.29.1",
        tool_version="0.1.0",
        tool_commit=None,
        nulls={"tool_commit": "not a git checkout"},
    )
