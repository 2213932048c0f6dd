"""The candidates of a search: all settings that this machine may run, in the order in which they are tried."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bench.machine.cpu import computes_in
from bench.machine.device_names import device_type, is_cpu
from bench.schedule.racing.bounds import is_heavy
from bench.suites import models
from bench.suites.suite import check_case
from results.schema.case import Case
from results.schema.labels import LAYOUTS, PROMISES, RUNTIMES

_LAST: Final = ("compile:max-autotune", "compile:max-autotune-no-cudagraphs")
"""Runtimes that take minutes to compile, and are asked for by name only."""


def precisions(device: str) -> tuple[str, ...]:
    """Return the precisions that a device computes in faster than by emulation, and that keep fp32 weights."""
    if is_cpu(device):
        return ("fp32", "amp-bf16") if computes_in("bfloat16") else ("fp32",)
    return ("fp32", "tf32", "amp-fp16", "amp-bf16")


def runtimes(task: str) -> tuple[str, ...]:
    """Return the runtimes that can run a task, whether installed or not."""
    return tuple(name for name, facts in RUNTIMES.items() if task in facts.tasks and name not in _LAST)


def candidates(
    names: Sequence[str],
    *,
    task: str,
    batches: Sequence[int],
    device: str,
    threads: Sequence[int],
    axes: Mapping[str, Iterable[str]],
    image_size: int | str | None = None,
) -> tuple[Case, ...]:
    """Return the candidates: the baselines first, then what is prepared fast, then what a compiler must prepare.

    Args:
        names: models.
        task: task of all.
        batches: batch sizes.
        device: full name of the device.
        threads: numbers of threads.
        axes: precisions, runtimes and layouts that replace all those of the machine.
        image_size: pixels, each model's own if None.

    Raises:
        InputError: a value of an axis is unknown, or the images are too small for a model.
    """
    choices = {"precision": precisions(device), "runtime": runtimes(task), "layout": tuple(LAYOUTS)} | dict(axes)
    made = []
    for name, batch, count, precision, runtime, layout in itertools.product(
        names, batches, threads, choices["precision"], choices["runtime"], choices["layout"]
    ):
        case = Case(
            model=name,
            task=task,
            batch_size=batch,
            image_size=image_size or models.default_image_size(name),
            device=device,
            precision=precision,
            runtime=runtime,
            layout=layout,
            threads=count,
        )
        check_case(case)
        if possible(case):
            made.append(case)
    baselines = dict.fromkeys(case.baseline for case in made)
    return tuple(dict.fromkeys((*baselines, *sorted(made, key=is_heavy))))


def possible(case: Case) -> bool:
    """Return whether the declaration of the case's runtime allows its precision and layout.

    What it leaves out is no candidate; what the machine lacks is a record that says so.
    """
    facts = RUNTIMES[case.runtime]
    if PROMISES[case.precision].quantizes and facts.precisions is None:
        return False
    allowed = (
        (case.layout, facts.layouts),
        (case.precision, facts.precisions),
        (device_type(case.device), facts.devices),
    )
    return all(values is None or value in values for value, values in allowed)
