"""Synthetic but valid cases, records and run files, for every test that needs results without measuring."""

import functools
import random
import statistics
from pathlib import Path

import hypothesis
import pytest
from msgspec import structs

from results.schema.case import Case
from results.schema.labels import PROMISES
from results.schema.lines.record import Equality, Facts, Ran, Record, Samples
from results.schema.lines.run import Accelerator, Environment, RunHeader, Settings
from results.schema.lines.static import Layer, Stage, Static

GPU_MARK = "pytest.mark.gpu"
"""Stands in every file that has a test for a real accelerator."""
_STEPS_A_TURN = 2

# No deadline, as a busy machine is no bug; and the same examples in every run.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")


def pytest_ignore_collect(collection_path, config):
    """With ``-m gpu``, import no file without such a test: a bare machine with a GPU lacks what the others need."""
    if config.option.markexpr != "gpu":
        return None
    files = collection_path.rglob("test_*.py") if collection_path.is_dir() else [collection_path]
    marked = any(file.suffix == ".py" and GPU_MARK in file.read_text(encoding="utf-8") for file in files)
    return None if marked else True  # False would collect what other plugins leave out


def _case(**axes):
    """A case: resnet50, inference, batch 8, 224 pixels, CPU, fp32, eager, nchw, unless `axes` say otherwise."""
    usual = {
        "model": "resnet50",
        "task": "inference",
        "batch_size": 8,
        "image_size": 224,
        "device": "cpu",
        "precision": "fp32",
        "runtime": "eager",
        "layout": "nchw",
        "threads": 2,
    }
    return Case(**{**usual, **axes})


def _samples(case, latency_s, baseline_latency_s, turns, noise, warmup, seed, began_s):
    rng = random.Random(f"{case.key} {seed}")
    step_s, turn, wall_s, baseline_s = [], [], [], []
    for index in range(turns):
        slow = 1.5 if index * _STEPS_A_TURN < warmup else 1.0
        steps = [latency_s * slow * rng.lognormvariate(0, noise) for _ in range(_STEPS_A_TURN)]
        step_s += steps
        turn += [index] * _STEPS_A_TURN
        wall_s.append(statistics.mean(steps) * 1.001)
        if baseline_latency_s is not None:
            baseline_s.append(baseline_latency_s * rng.lognormvariate(0, noise))
    training = case.task == "training"
    return Samples(
        step_s=tuple(step_s),
        turn=tuple(turn),
        wall_s=tuple(wall_s),
        baseline_s=tuple(baseline_s),
        at_s=() if began_s is None else tuple(began_s + index for index in range(turns)),
        part=() if began_s is None else (0,) * turns,
        forward_s=tuple(0.3 * s for s in step_s) if training else (),
        backward_s=tuple(0.6 * s for s in step_s) if training else (),
        optimizer_s=tuple(0.1 * s for s in step_s) if training else (),
        warmup=warmup,
        steady=True,
    )


def _record(
    case=None,
    *,
    latency_s=0.05,
    baseline_latency_s=None,
    turns=40,
    noise=0.01,
    warmup=4,
    replicate=0,
    status="ok",
    cause=None,
    seed=0,
    signs=None,
    began_s=None,
    **fields,
):
    """A record: `turns` turns of two steps around `latency_s`, or a failure without samples, with `fields` replaced.

    `noise` is the spread of its steps; `signs` are those of noise on the machine. With `began_s`, a turn takes place
    every second from this time of the run on, in its only part: records of a replicate then form a field. A record with
    `baseline_latency_s` is that of an older file, and knows the turns of its baseline.
    """
    case = case or _case()
    cpu, compiled = case.device == "cpu", case.runtime != "eager"
    record = Record(
        case=case,
        replicate=replicate,
        status=status,
        cause=cause,
        started="2026-11-22T00:38:12Z",
        duration_s=turns * 2 * latency_s + 1.0,
        noise=signs,
    )
    if status == "ok":
        promise = PROMISES[case.precision]
        record = structs.replace(
            record,
            samples=_samples(case, latency_s, baseline_latency_s, turns, noise, warmup, f"{replicate} {seed}", began_s),
            facts=Facts(
                first_step_s=latency_s * 3 + (10.0 if compiled else 0.0),
                compile_s=latency_s * 2 + 10.0 if compiled else None,
                graph_breaks=0 if compiled else None,
                peak_resident_bytes=300_000_000 if cpu else None,
                peak_allocated_bytes=None if cpu else 200_000_000,
                peak_reserved_bytes=None if cpu else 250_000_000,
            ),
            ran=Ran(
                parameter_dtypes=(promise.weights,),
                compute_dtypes=(promise.compute,),
                layout=case.layout,
                tf32_matmul=promise.tf32,
                tf32_convolution=promise.tf32,
                autocast=promise.autocast,
                grad_scaler=promise.grad_scaler and case.task == "training",
                threads=case.threads,
            ),
            nulls={
                **({} if compiled else {"compile_s": "eager compiles nothing", "graph_breaks": "eager"}),
                **(
                    {"peak_allocated_bytes": "a CPU has none", "peak_reserved_bytes": "a CPU has none"}
                    if cpu
                    else {"peak_resident_bytes": "only measured on a CPU"}
                ),
            },
            stop="target",
        )
    return structs.replace(record, **fields)


def _equality(verdict="equal", **fields):
    """What checking a result gave: an error of a millionth where ten times as much is allowed, or a wrong output."""
    wrong = verdict == "wrong"
    usual = {"error": 0.3 if wrong else 1e-6, "baseline_error": 1e-6, "allowed": 1e-5, "what": "output"}
    return Equality(verdict=verdict, **{**usual, **fields})


def _static(model="resnet50", **fields):
    """The static cost of a model; ResNet-50's true figures at 224 pixels, with two layers in place of all."""
    usual = Static(
        model=model,
        family="resnet",
        block="bottleneck",
        depth=50,
        image_size=224,
        num_classes=1000,
        parameters=25_557_032,
        trainable_parameters=25_557_032,
        buffers=53_173,
        model_bytes={"fp32": 102_441_032, "fp16": 51_220_728, "bf16": 51_220_728},
        macs=4_089_184_256,
        training_flops=24_299_077_632,
        fvcore_macs=4_145_119_232,
        activations=11_113_960,
        arithmetic_intensity=43.0,
        uncounted=(),
        imagenet_top1=0.80858,
        imagenet_weights="IMAGENET1K_V2",
        layers=(
            Layer(
                name="conv1",
                type="Conv2d",
                stage="conv1",
                output_shape=(1, 64, 112, 112),
                parameters=9408,
                macs=118_013_952,
                activations=802_816,
            ),
            Layer(
                name="fc",
                type="Linear",
                stage="fc",
                output_shape=(1, 1000),
                parameters=2_049_000,
                macs=2_048_000,
                activations=1000,
            ),
        ),
        stages=(
            Stage(name="conv1", parameters=9408, macs=118_013_952, activations=802_816),
            Stage(name="fc", parameters=2_049_000, macs=2_048_000, activations=1000),
        ),
    )
    return structs.replace(usual, **fields)


def _run(plan=(), run_id="20261122-003812-default-a1b2", *, accelerator=None, **fields):
    """The head of a run on a two-core CPU, with an accelerator where a name is given."""
    environment = Environment(
        cpu="AMD EPYC 9B14",
        cpu_flags=("avx2", "avx512f"),
        physical_cores=1,
        logical_cores=2,
        usable_cores=2,
        governor=None,
        cgroup_cpus=2.0,
        cgroup_memory_bytes=8 * 2**30,
        memory_bytes=16 * 2**30,
        accelerators=()
        if accelerator is None
        else (Accelerator(device="cuda:0", name=accelerator, memory_bytes=80 * 2**30),),
        os="Linux",
        kernel="6.8.0",
        python="3.11.9",
        torch="2.14.1",
        torch_build={"OpenMP": "201511"},
        torch_threads=2,
        torch_interop_threads=2,
        variables={},
        torchvision="0.29.1",
        tool_version="0.1.0",
        tool_commit=None,
        nulls={"governor": "this machine does not show it", "tool_commit": "not a git checkout"},
    )
    usual = RunHeader(
        id=run_id,
        started="2026-11-22T00:38:12Z",
        suite="default",
        settings=Settings(replicates=1, target=0.01, budget_s=5.0, timeout_s=60.0, time_limit_s=None),
        environment=environment,
        plan=tuple(plan),
    )
    return structs.replace(usual, **fields)


def _write_run(folder, records=(), statics=(), *, run=None, status="complete") -> Path:
    """Write a run file into `folder` with the real writer and return its path; no end line with status None."""
    from results.storage.writer import Writer  # noqa: PLC0415 (tests that need no file should not need it)

    run = run or _run(plan=dict.fromkeys(record.case for record in records))
    with Writer.create(folder, run) as writer:
        for static in statics:
            writer.append(static)
        for record in records:
            writer.append(record)
        if status is not None:
            writer.end(status)
        return writer.path


@pytest.fixture
def make_case():
    return _case


@pytest.fixture
def make_record():
    return _record


@pytest.fixture
def make_equality():
    return _equality


@pytest.fixture
def make_static():
    return _static


@pytest.fixture
def make_run():
    return _run


@pytest.fixture
def write_run():
    return _write_run


@pytest.fixture
def paired(make_case):
    from tests.bench.doctor.examined import paired_of  # noqa: PLC0415 - only the tests of the doctor need it

    return functools.partial(paired_of, make_case(model="resnet18", batch_size=1))
