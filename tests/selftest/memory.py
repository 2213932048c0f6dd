"""A row about memory: is the peak of a step, predicted on fake tensors, that of the allocations of a real step?

The model of oneDNN's workspace was made from single convolutions, and looked at with resnet18 and resnet50; none of the
variants here was used for that.
"""

import itertools
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from bench.machine.cpu import usable_cores
from bench.measure.device import open_device
from bench.memory_model.measure import measured_memory
from bench.memory_model.predict import predicted_memory
from bench.process.ask import ask
from bench.process.forkserver import ForkServer
from bench.process.profiling.messages import PredictMemory
from bench.suites.models import default_image_size
from bench.tasks.workload import build
from resnet import VARIANTS as VARIANTS_OF_ALL
from results.schema.case import Case
from tests.selftest.rows import Row

VARIANTS = (
    *("resnet26", "resnet101", "resnet34d", "resnext101_32x8d", "wide_resnet101_2", "preact_resnet34"),
    *("preact_resnet101", "plain34", "plain18", "resnet18d", "cifar_resnet32", "cifar_resnet110", "cifar_plain56"),
)
TASKS = ("inference", "training")
BATCHES = (2, 5)
REGISTRY_BATCHES = (1, 8, 32)
REGISTRY_S = 60
"""Seconds for the whole registry."""
MEAN, WORST = 0.03, 0.08
"""The most relative error, on average and of any case."""


def memory(*, quick):
    """Predict the peak of every case, and measure it."""
    models = VARIANTS[-2:] if quick else VARIANTS
    errors = {
        (model, task, batch): _error(model, task, batch)
        for model, task, batch in itertools.product(models, TASKS, BATCHES)
    }
    mean, (case, worst) = statistics.fmean(errors.values()), max(errors.items(), key=lambda pair: pair[1])
    what = f"predicted peak memory of {len(errors)} cases: {len(models)} variants, both tasks, batch 2 and 5, CPU"
    yield Row(f"{what}: mean error", f"{mean:.3%}", f"≤ {MEAN:.0%}", mean <= MEAN)
    yield Row(f"{what}: worst error", f"{worst:.3%} ({' '.join(map(str, case))})", f"≤ {WORST:.0%}", worst <= WORST)
    yield _registry_row(models=("resnet18",) if quick else tuple(VARIANTS_OF_ALL))


def _registry_row(models):
    """Predict every variant in both tasks at three batches, in as many workers as there are cores."""
    with ForkServer() as server, ThreadPoolExecutor(usable_cores()) as pool:
        began = time.perf_counter()
        peaks = list(pool.map(lambda model: _predicted(server, model), models))
        took_s = time.perf_counter() - began
    what = f"predicted: {len(models)} variants, both tasks, batches {', '.join(map(str, REGISTRY_BATCHES))}"
    right = all(min(three) > 0 for three in peaks)
    return Row(what, f"{took_s:.0f} s", f"≤ {REGISTRY_S:g} s", right and took_s <= REGISTRY_S)


def _predicted(server, model):
    """Return the predicted peaks of a model, in a worker of its own."""
    channel = server.spawn()
    try:
        cases = [
            _case(model, task, batch, default_image_size(model))
            for task, batch in itertools.product(TASKS, REGISTRY_BATCHES)
        ]
        return [ask(channel, PredictMemory(case=case), timeout_s=600.0).parts.total for case in cases]
    finally:
        channel.close()


def _error(model, task, batch):
    """Return the relative error of the predicted peak of a case."""
    case = _case(model, task, batch, 32 if model.startswith("cifar") else 96)
    workload = build(case)
    with workload.context():
        workload.step(lambda: None)
    real = measured_memory(case, workload, open_device("cpu")).peak_bytes
    return abs(predicted_memory(case).parts.total / real - 1)


def _case(model, task, batch, size):
    return Case(
        model=model,
        task=task,
        batch_size=batch,
        image_size=size,
        device="cpu",
        precision="fp32",
        runtime="eager",
        layout="nchw",
        threads=2,
    )
