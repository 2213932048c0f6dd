"""The rehearsal on the CPU, scaled down: the script is exercised whole, in less than three minutes on two cores.

Bounds are wide: they find a script that is broken, and prove nothing about a machine that others use too.
"""

from typing import Final

from tests.rehearsal.readings import (
    arms_ratio,
    arms_spread,
    count_status,
    fact,
    latency,
    physics,
    ratio,
    sum_fact,
    throughput,
)
from tests.rehearsal.tables import bounds
from tests.rehearsal.tables.steps import Step, part_of, pytest_of, run_of, timm_like
from tests.rehearsal.verdicts import Bound

_TINY: Final = ("--model", "cifar_resnet20", "--batch-size", "8")
_LOOP: Final = (*_TINY, "--image-size", "32", "--precision", "fp32", "--seconds", "1", "--autotune", "off")
_NHWC: Final = {"precision": "fp32", "layout": "nhwc"}

CPU: Final[tuple[Step, ...]] = (
    Step(
        name="facts",
        seconds=40,
        argv=("-m", "tests.rehearsal.parts.facts", "{device}", "{out}/facts.json"),
        bounds=(Bound(what="missing packages", read=fact("missing_packages"), high=0),),
    ),
    Step(
        name="fork-tests",
        seconds=60,
        argv=pytest_of("tests/bench/measure/test_device.py", "tests/bench/machine/test_nvml.py"),
    ),
    Step(
        name="physics",
        seconds=60,
        argv=part_of("physics"),
        bounds=(
            Bound(what="P1 two marks a step", read=physics("P1", "two_marks_s"), unit="µs", times=1e6),
            Bound(
                what="P2 turns of 2, over the plateau",
                read=physics("P2/large", "harness_2"),
                low=-60,
                high=150,
                unit="%",
                times=100,
            ),
            Bound(what="P3 slow steps after gaps ≤ 0.1 s", read=physics("P3", "slow_after_short_gaps")),
            Bound(what="P4 sustained / plateau", read=physics("P4", "sustained"), low=0.4, high=2.5),
            Bound(what="P5 fp32: cold / warm peak", read=physics("P5/fp32", "cold_over_warm"), low=0.1, high=10),
            Bound(what="P5 copying", read=physics("P5/copy", "bytes_per_s"), unit="GB/s", times=1e-9),
            Bound(what="P6 fp32: error of a matmul", read=physics("P6/fp32", "matmul"), low=0, high=2e-6),
            Bound(what="P6 fp32: error of a convolution", read=physics("P6/fp32", "convolution"), low=0, high=2e-6),
        ),
    ),
    Step(
        name="inference",
        seconds=60,
        argv=run_of(
            "inference",
            *_TINY,
            "--precision",
            "fp32,tf32,amp-bf16",
            "--layout",
            "nchw,nhwc",
            "--budget",
            "0.5",
            seconds=40,
        ),
        bounds=(
            *bounds.measured("inference"),
            Bound(
                what="tf32 is unsupported",
                read=count_status("inference", "unsupported", precision="tf32"),
                low=2,
                high=2,
            ),
            Bound(
                what="latency, live arms / plateau",
                read=ratio(latency("inference", **_NHWC), physics("P2/large", "plateau_s")),
                low=0.3,
                high=3,
            ),
        ),
    ),
    Step(
        name="timm-off",
        seconds=30,
        argv=timm_like("timm-like/off", *_LOOP),
        bounds=(
            *bounds.TIMM["off"],
            Bound(
                what="harness / loop",
                read=ratio(throughput("inference", **_NHWC), physics("timm-like/off", "images_per_s")),
                low=0.3,
                high=3,
            ),
        ),
    ),
    Step(
        name="timm-training",
        seconds=30,
        argv=timm_like("timm-like/training", *_LOOP, "--task", "training"),
        bounds=bounds.TIMM["training"],
    ),
    Step(name="autotune", seconds=40, argv=(), skip="the autotuner is that of a GPU's convolutions"),
    Step(
        name="training",
        seconds=50,
        argv=run_of("training", *_TINY, *("--task", "training", "--layout", "nhwc", "--budget", "0.5"), seconds=30),
        bounds=bounds.measured("training"),
    ),
    Step(
        name="compile",
        seconds=90,
        argv=run_of("compile", *_TINY, "--runtime", "eager,compile", "--budget", "0.3", seconds=70),
        bounds=(
            *bounds.measured("compile"),
            Bound(what="graph breaks", read=sum_fact("compile", "graph_breaks"), high=0),
            Bound(what="recompilations", read=sum_fact("compile", "recompiles"), high=0),
        ),
    ),
    Step(
        name="ab",
        seconds=40,
        argv=(
            *("-m", "bench", "ab", *_TINY, "--margin", "50%", "--budget", "0.2"),
            *("--device", "{device}", "--time-limit", "15", "--out", "{runs}/ab"),
        ),
        codes=(0, 3),
        bounds=(
            Bound(what="b / a, which are the same", read=arms_ratio("ab"), low=0.3, high=3),
            Bound(what="spread of a pair", read=arms_spread("ab"), unit="%", times=100),
        ),
    ),
    Step(
        name="out-of-memory",
        seconds=40,
        argv=(),
        skip="a host without memory ends other processes too",
    ),
    Step(name="kill", seconds=30, argv=part_of("faults"), bounds=bounds.KILL),
    Step(name="traces", seconds=40, argv=part_of("traces", "{traces}", "eager"), bounds=bounds.TRACES[:1]),
    Step(name="gpu-tests", seconds=40, argv=pytest_of("-m", "gpu", "tests/bench/test_gpu.py")),
    Step(name="nobody-left", seconds=10, argv=(), skip="the CPU has no driver library"),
)
