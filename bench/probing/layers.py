"""Time the layers of a network alone, in another setting and in their own in turns.

Layers of equal configuration and input are timed once. A layer alone knows nothing of its neighbours: where they have
another layout or precision, conversions come on top.
"""

import copy
import dataclasses
import itertools
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import torch
from torch import nn

from bench.measure import precision
from bench.measure.device import Device, Unsupported, first_line
from bench.measure.timing import Step, time_turn
from bench.process.profiling.messages import LayersProbed
from results.schema.case import Case
from results.schema.labels import LAYOUTS, PROMISES, TASKS
from results.schema.lines.profile import LayerProbe, Phase

ROUNDS: Final = 5
PROBED: Final = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
"""Classes of the layers that are timed; others take next to no time."""
MOST_PROBE_STEPS: Final = 50
PROBE_AXES: Final = ("layout", "precision", "batch_size")
"""Axes in which layers are tried."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Layers of equal configuration and input."""

    names: tuple[str, ...]
    module: nn.Module
    shape: tuple[int, ...]
    first: bool
    """Whether its input needs no gradient."""
    per_image: int = 1
    """Rows of its input for each image of a batch."""


def probed_layers(
    case: Case,
    network: nn.Module,
    images: torch.Tensor,
    device: Device,
    *,
    others: Sequence[Case],
    seconds: float,
    clock: Callable[[], float],
) -> LayersProbed:
    """Return the times of the layers of a network in the settings of `others`, over those in the settings of `case`.

    The most expensive layers come first; what is not reached in `seconds` is left out, and `nulls` says so.
    """
    nulls: dict[str, str] = {}
    known = [other for other in others if _supported(other, nulls)]
    groups = _by_cost(case, layer_groups(network, images), device, clock)
    ends = clock() + seconds
    probes: list[LayerProbe] = []
    left = 0
    for number, group in enumerate(groups):
        if clock() > ends:
            left = sum(len(each.names) for each in groups[number:])
            break
        share = (ends - clock()) / (len(groups) - number) / ROUNDS / (1 + len(known))
        probes += _probes(case, known, group, device, share, clock)
    if left:
        nulls["probes"] = f"{left} cheap layers were not reached in {seconds:g} s"
    return LayersProbed(probes=tuple(probes), nulls=nulls)


def layer_groups(network: nn.Module, images: torch.Tensor) -> tuple[Group, ...]:
    """Return the layers by configuration and input, from a forward pass."""
    inputs: dict[str, tuple[int, ...]] = {}
    modules = {name: module for name, module in network.named_modules() if isinstance(module, PROBED)}
    names: dict[nn.Module, str] = {module: name for name, module in modules.items()}

    def remember(module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        inputs.setdefault(names[module], tuple(given[0].shape))

    handles = [module.register_forward_pre_hook(remember) for module in modules.values()]
    try:
        with torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    together: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name, shape in inputs.items():
        first = shape == tuple(images.shape)
        together[type(modules[name]), modules[name].extra_repr(), shape, first].append(name)
    return tuple(
        Group(
            names=tuple(names),
            module=modules[names[0]],
            shape=shape,
            first=first,
            per_image=max(1, shape[0] // images.shape[0]),
        )
        for (_, _, shape, first), names in together.items()
    )


def _supported(other: Case, nulls: dict[str, str]) -> bool:
    try:
        precision.check_precision(other)
    except Unsupported as error:
        nulls[f"precision={other.precision}"] = str(error)
        return False
    slow = precision.emulated(other)
    if slow is not None:
        nulls[f"precision={other.precision}"] = slow
    return slow is None


def _by_cost(case: Case, groups: Sequence[Group], device: Device, clock: Callable[[], float]) -> list[Group]:
    """Return the groups, those whose layers take the most time together first."""
    costs = {}
    for group in groups:
        turn = time_turn(layer_step(case, group), device, steps=1, drop=1, clock=clock)
        costs[group.names] = sum(turn.step_s) * len(group.names)
    return sorted(groups, key=lambda group: -costs[group.names])


def _probes(
    case: Case, others: Sequence[Case], group: Group, device: Device, turn_s: float, clock: Callable[[], float]
) -> Iterator[LayerProbe]:
    """Yield the ratios of a group in each other setting, forward and, in training, backward."""
    steps = {each: layer_step(each, group) for each in (case, *others)}
    times: dict[Case, list[tuple[float, ...]]] = defaultdict(list)
    for each in itertools.chain.from_iterable([steps] * ROUNDS):
        precision.set_kernels(each)
        known = times[each]
        count = max(1, min(MOST_PROBE_STEPS, round(turn_s / sum(known[-1])))) if known else 1
        try:
            turn = time_turn(steps[each], device, steps=count, drop=1, clock=clock)
        except RuntimeError as error:
            if each == case:
                raise
            raise Unsupported(f"{group.names[0]}: {first_line(error)}") from error
        known.append(tuple(statistics.median(phase) for phase in zip(*turn.phase_s, strict=True)))
    phases: tuple[Phase, ...] = ("forward", "backward")
    for other in others:
        axis = next(name for name in PROBE_AXES if getattr(other, name) != getattr(case, name))
        images = other.batch_size / case.batch_size
        for number, phase in enumerate(phases[: len(times[case][0])]):
            ratios = tuple(b[number] / a[number] / images for a, b in zip(times[case], times[other], strict=True))
            yield LayerProbe(layers=group.names, phase=phase, axis=axis, value=str(getattr(other, axis)), ratios=ratios)


def layer_step(case: Case, group: Group) -> Step:
    """Return a step of a layer alone, in the settings of a case: forward, and in training backward."""
    dtype = getattr(torch, PROMISES[case.precision].weights)
    layout = getattr(torch, LAYOUTS[case.layout])
    module = copy.deepcopy(group.module).to(dtype)
    images = torch.randn(case.batch_size * group.per_image, *group.shape[1:], device=case.device)
    if images.ndim == 4:
        module, images = module.to(memory_format=layout), images.to(memory_format=layout)
    compute = getattr(torch, PROMISES[case.precision].compute)
    # Between layers autocast leaves activations in its own format.
    images = images.to(dtype if group.first else compute)
    context = precision.autocast(case)
    if not TASKS[case.task].trains:

        def infer(mark: Callable[[], None]) -> torch.Tensor:  # noqa: ARG001 - it has a single phase
            with torch.inference_mode(), context:
                output: torch.Tensor = module(images)
            return output

        return infer
    images.requires_grad_(not group.first)

    def train(mark: Callable[[], None]) -> None:
        given = images.clone() if getattr(module, "inplace", False) else images
        with context:
            output = module(given)
        mark()
        if output.requires_grad:
            torch.autograd.backward(output, torch.ones_like(output))
        module.zero_grad(set_to_none=True)
        images.grad = None

    return train
