"""A row about memory: is the peak of a step, predicted on fake tensors, that of the allocations of a real step?

The model of oneDNN's workspace was made from single convolutions, and looked at with resnet18 and resnet50; none of the
variants here was used for that.
"""

import itertools
import statistics

from bench.measure.device import open_device
from bench.memory_model.measure import measured_memory
from bench.memory_model.predict import predicted_memory
from bench.tasks.workload import build
from results.schema.case import Case
from tests.selftest.rows import Row

VARIANTS = (
    *("resnet26", "resnet101", "resnet34d", "resnext101_32x8d", "wide_resnet101_2", "preact_resnet34"),
    *("preact_resnet101", "plain34", "plain18", "resnet18d", "cifar_resnet32", "cifar_resnet110", "cifar_plain56"),
)
TASKS = ("inference", "training")
BATCHES = (2, 5)
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


def _error(model, task, batch):
    """Return the relative error of the predicted peak of a case."""
    size = 32 if model.startswith("cifar") else 96
    case = Case(
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
    workload = build(case)
    with workload.context():
        workload.step(lambda: None)
    real = measured_memory(case, workload, open_device("cpu")).peak_bytes
    return abs(predicted_memory(case).parts.total / real - 1)
