"""The rehearsal on a GPU: some nine minutes on a data-centre card, most important first."""

from typing import Final

from tests.rehearsal.tables import bounds
from tests.rehearsal.tables.steps import Step, part_of, pytest_of, run_of, timm_like

_RESNET50: Final = ("--model", "resnet50", "--batch-size", "256")
_LOOP: Final = ("--model", "resnet50", "--autotune")
_ENOUGH: Final = (0, 3)
"""Exit codes of a run: fine, or the time limit left cases out, which a bound judges."""

GPU: Final[tuple[Step, ...]] = (
    Step(
        name="facts",
        seconds=40,
        argv=("-m", "tests.rehearsal.parts.facts", "{device}", "{out}/facts.json"),
        bounds=bounds.FACTS,
    ),
    Step(
        name="fork-tests",
        seconds=60,
        argv=pytest_of(
            "tests/bench/process/test_forkserver.py",
            "tests/bench/measure/test_device.py",
            "tests/bench/worker/test_describe.py",
            "tests/bench/machine/test_nvml.py",
            "tests/bench/doctor/test_gpu.py",
        ),
    ),
    Step(name="physics", seconds=100, argv=part_of("physics", "{identity}"), bounds=bounds.PHYSICS),
    Step(
        name="inference",
        seconds=100,
        argv=run_of(
            "inference",
            *_RESNET50,
            *("--precision", "fp32,tf32,amp-fp16,amp-bf16", "--layout", "nchw,nhwc", "--budget", "2"),
            seconds=80,
        ),
        codes=_ENOUGH,
        bounds=bounds.INFERENCE,
    ),
    Step(
        name="timm-off",
        seconds=30,
        argv=timm_like("timm-like/off", *_LOOP, "off", "--batch-size", "256"),
        bounds=(*bounds.TIMM["off"], *bounds.AUTOTUNER_OFF),
    ),
    Step(
        name="timm-on",
        seconds=30,
        argv=timm_like("timm-like/on", *_LOOP, "on", "--batch-size", "256"),
        bounds=(*bounds.TIMM["on"], *bounds.AUTOTUNER_ON),
    ),
    Step(
        name="timm-on-512",
        seconds=30,
        argv=timm_like("timm-like/on-512", *_LOOP, "on", "--batch-size", "512"),
        bounds=bounds.TIMM["on-512"],
    ),
    Step(
        name="timm-training",
        seconds=30,
        argv=timm_like("timm-like/training", *_LOOP, "on", "--batch-size", "256", "--task", "training"),
        bounds=bounds.TIMM["training"],
    ),
    Step(
        name="autotune",
        seconds=40,
        argv=run_of(
            "autotune",
            *_RESNET50,
            *("--precision", "amp-fp16", "--layout", "nhwc", "--runtime", "eager,eager:autotune", "--budget", "2"),
            seconds=25,
        ),
        codes=_ENOUGH,
        bounds=bounds.AUTOTUNE,
    ),
    Step(
        name="training",
        seconds=70,
        argv=run_of(
            "training",
            *("--model", "resnet50", "--task", "training", "--batch-size", "128", "--budget", "2"),
            *("--precision", "fp32,tf32,amp-fp16,amp-bf16", "--layout", "nhwc"),
            seconds=50,
        ),
        codes=_ENOUGH,
        bounds=bounds.measured("training"),
    ),
    Step(
        name="compile",
        seconds=95,
        argv=run_of(
            "compile",
            *("--model", "resnet18", "--batch-size", "256", "--precision", "amp-bf16", "--layout", "nhwc"),
            *("--runtime", "eager,compile,compile:reduce-overhead", "--budget", "1"),
            seconds=75,
        ),
        codes=_ENOUGH,
        bounds=bounds.COMPILE,
    ),
    Step(
        name="ab",
        seconds=45,
        argv=(
            *("-m", "bench", "ab", *_RESNET50, "--precision", "amp-bf16", "--layout", "nhwc"),
            *("--device", "{device}", "--time-limit", "35", "--out", "{runs}/ab"),
        ),
        codes=_ENOUGH,
        bounds=bounds.AB,
    ),
    Step(
        name="out-of-memory",
        seconds=40,
        argv=run_of(
            "out-of-memory",
            *("--model", "resnet152", "--task", "training", "--batch-size", "4096,1", "--budget", "0.5"),
            seconds=30,
        ),
        codes=(1,),
        bounds=bounds.OUT_OF_MEMORY,
    ),
    Step(name="kill", seconds=30, argv=part_of("faults", "{identity}"), bounds=(*bounds.KILL, *bounds.GIVEN_BACK)),
    Step(
        name="traces",
        seconds=60,
        argv=part_of("traces", "{traces}", "eager", "compile", "compile:reduce-overhead"),
        bounds=bounds.TRACES,
    ),
    Step(
        name="gpu-tests",
        seconds=75,
        argv=pytest_of(
            *("-m", "gpu", "-k", "not compiled and not templates"),
            "tests/bench/test_gpu.py",
            "tests/bench/measure/test_device.py",
            "tests/bench/worker/test_describe.py",
            "tests/bench/doctor/test_gpu.py",
        ),
    ),
    # A second in which nothing runs: the sampler sees who is left on the GPU.
    Step(name="nobody-left", seconds=10, argv=("-c", "import time; time.sleep(1)"), bounds=bounds.LEFT),
)
