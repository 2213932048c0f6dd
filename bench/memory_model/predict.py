"""Predict the memory of a step of a case: run it on fake tensors, which have shapes and no memory."""

import contextlib
import dataclasses
import itertools
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from bench.machine.device_names import is_cpu
from bench.measure import precision
from bench.memory_model.lifetimes import Lifetime, Lifetimes
from bench.memory_model.workspace import cpu_workspace
from bench.process.profiling.messages import MemoryPredicted
from bench.tasks import heads, networks
from bench.tasks.training import make_optimizer
from bench.tasks.workload import checkpointed, unsuited
from results.image_size import sides
from results.schema.case import Case
from results.schema.labels import HEADS, LAYOUTS, PROMISES, RUNTIMES, TASKS
from results.schema.lines.memory import MemoryParts, MemoryPoint
from results.schema.lines.profile import Phase

MOST_POINTS: Final = 400
_NO_PHASE: Final[tuple[Phase, None]] = ("other", None)


class UnpredictableError(ValueError):
    """The memory of the case cannot be predicted; the message is the reason."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StepTrace:
    """The storages of a step."""

    lifetimes: tuple[Lifetime, ...]
    moments: tuple[tuple[Phase, str | None], ...]
    """Phase and module of each allocation and release."""
    fixed: dict[str, int]
    """Bytes of what lives before the step, by its part."""
    gradients: frozenset[int]
    """Numbers of the lifetimes of gradients."""


def predicted_memory(case: Case) -> MemoryPredicted:
    """Return the memory of a steady step of a case: what torch's allocator would hold, without computing anything.

    Raises:
        UnpredictableError: the shapes of its tensors depend on data, or a compiler decides what is kept.
    """
    return memory_of(trace_step(case))


def trace_step(case: Case) -> StepTrace:
    """Return the storages of a steady step of a case; raises as `predicted_memory` does."""
    if (reason := _unpredictable(case)) is not None:
        raise UnpredictableError(reason)
    network = _on_meta(case)
    with FakeTensorMode(allow_non_fake_inputs=True), warnings_of_autocast():
        step = _Step(case, network)
        step.run()
        return step.traced()


def _unpredictable(case: Case) -> str | None:
    if HEADS[case.head].dynamic is not None:
        return f"the memory of {case.head} depends on data: {HEADS[case.head].dynamic}"
    if RUNTIMES[case.runtime].compiles:
        return f"{case.runtime} decides itself what it keeps"
    return unsuited(case)


@contextlib.contextmanager
def warnings_of_autocast() -> Iterator[None]:
    """Keep torch from warning that a fake CPU has no such arithmetic."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _on_meta(case: Case) -> torch.nn.Module:
    """Return the network of a case on the meta device."""
    with torch.device("meta"):
        network = networks.create_network(
            case.model, in_channels=case.in_channels, head=case.head, image_size=case.image_size
        )
    network = network.to(getattr(torch, PROMISES[case.precision].weights))
    return checkpointed(network.to(memory_format=getattr(torch, LAYOUTS[case.layout])), case)


def _fake(tensor: torch.Tensor) -> torch.Tensor:
    """Return a fake tensor like `tensor`, a parameter if it is."""
    made = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")
    return torch.nn.Parameter(made, tensor.requires_grad) if isinstance(tensor, torch.nn.Parameter) else made


class _Step:
    """A network on fake tensors, with its input, its loss and its optimizer."""

    def __init__(self, case: Case, network: torch.nn.Module) -> None:
        self._case = case
        self._trains = TASKS[case.task].trains
        for module in network.modules():
            for own in (module._parameters, module._buffers):  # noqa: SLF001 - torch's own `to` refuses fake tensors
                own.update({name: _fake(tensor) for name, tensor in own.items() if tensor is not None})  # type: ignore[misc]
        self.network = network.train(self._trains)
        self._leaves = {name for name, module in network.named_modules() if not any(module.children())}
        images = torch.empty(case.batch_size, case.in_channels, *sides(case.image_size))
        dtype, memory_format = getattr(torch, PROMISES[case.precision].weights), getattr(torch, LAYOUTS[case.layout])
        self.images = images.to(dtype, memory_format=memory_format)
        self.labels = torch.zeros(case.batch_size, dtype=torch.int64)
        self._loss = heads.loss_of(case, self.network, self.labels) if self._trains else None
        self._optimizer = make_optimizer(case, self.network) if self._trains else None
        self._autocast = precision.autocast(case)
        self.phase: Phase = "other"
        self._running: list[str] = []
        self._backward_of: str | None = None
        """Path of the module whose backward pass is running."""

    def run(self) -> None:
        """Make a step; its phases are noted in `phase`."""
        self.phase = "forward"
        if self._loss is None or self._optimizer is None:
            with torch.inference_mode(), self._autocast:
                self.network(self.images)
            return
        with self._autocast:
            loss = self._loss(self.network(self.images))
        self.phase = "backward"
        loss.backward()  # type: ignore[no-untyped-call]
        self.phase = "optimizer"
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        del loss
        self.phase = "other"

    def traced(self) -> StepTrace:
        """Make another step, and return its storages; the optimizer has its state from the step before."""
        workspace = cpu_workspace if is_cpu(self._case.device) else _no_workspace
        lifetimes = Lifetimes(self._where, workspace)
        fixed = self._fixed(lifetimes)
        gradients: list[Lifetime | None] = []
        hooks = [
            parameter.register_post_accumulate_grad_hook(  # type: ignore[no-untyped-call]
                lambda p: gradients.append(lifetimes.follow(p.grad))
            )
            for parameter in self.network.parameters()
            if parameter.requires_grad and self._trains
        ]
        with self._named_modules(), lifetimes:
            self.run()
        for hook in hooks:
            hook.remove()
        own = {id(each) for each in gradients}
        return StepTrace(
            lifetimes=tuple(lifetimes.lifetimes),
            moments=tuple(lifetimes.moments),
            fixed=fixed,
            gradients=frozenset(number for number, each in enumerate(lifetimes.lifetimes) if id(each) in own),
        )

    def _where(self) -> tuple[Phase, str | None]:
        """Return the phase and the module that are running."""
        if self._running:
            return self.phase, self._running[-1]
        return self.phase, self._backward_of if self.phase == "backward" else None

    def _leave(self, path: str, output: Any) -> None:
        self._running.pop()
        if isinstance(output, torch.Tensor) and output.grad_fn is not None and path in self._leaves:
            output.grad_fn.register_prehook(lambda *_: setattr(self, "_backward_of", path))

    def _fixed(self, lifetimes: Lifetimes) -> dict[str, int]:
        """Return the bytes of what lives before the step, by its part, and follow it."""
        states = [] if self._optimizer is None else self._optimizer.state.values()
        groups: dict[str, Sequence[Any]] = {
            "parameters": list(self.network.parameters()),
            "buffers": list(self.network.buffers()),
            "optimizer": [value for state in states for value in state.values()],
            "images": [self.images, self.labels],
        }
        totals = {}
        for name, tensors in groups.items():
            before = len(lifetimes.lifetimes)
            for tensor in tensors:
                if isinstance(tensor, torch.Tensor):
                    lifetimes.follow(tensor)
            totals[name] = sum(each.bytes for each in lifetimes.lifetimes[before:])
        return totals

    @contextlib.contextmanager
    def _named_modules(self) -> Iterator[None]:
        """Keep the path of the module that is running."""
        handles = []
        for name, module in self.network.named_modules():
            path = name or "(root)"
            handles += [
                module.register_forward_pre_hook(lambda *_, path=path: self._running.append(path)),
                module.register_forward_hook(lambda _module, _in, output, path=path: self._leave(path, output)),
            ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _no_workspace(*_: object) -> tuple[int, ...]:
    """Return nothing: what the libraries of an accelerator take is their choice at run time."""
    return ()


def memory_of(trace: StepTrace) -> MemoryPredicted:
    """Return the peak of a step, its parts and its course."""
    moments, fixed = trace.moments, trace.fixed
    changes = [0] * (len(moments) + 1)
    for each in trace.lifetimes:
        changes[each.begin] += each.bytes
        if each.end is not None:
            changes[each.end] -= each.bytes
    levels = list(itertools.accumulate(changes[: len(moments)]))
    peak = max(range(len(levels)), key=levels.__getitem__)
    before = next((index for index, (phase, _) in enumerate(moments) if phase != "other"), 1) - 1
    first_backward = next((index for index, (phase, _) in enumerate(moments) if phase == "backward"), len(moments))
    alive = [
        (number, each)
        for number, each in enumerate(trace.lifetimes)
        if each.begin <= peak and (each.end is None or each.end > peak)
    ]
    moved = [(number, each) for number, each in alive if each.phase != "other" and not each.held]
    workspace = sum(each.bytes for _, each in alive if each.held)
    of_gradients = sum(each.bytes for number, each in moved if number in trace.gradients)
    saved = sum(
        each.bytes
        for number, each in moved
        if number not in trace.gradients
        and each.phase == "forward"
        and (each.end is None or each.end >= first_backward)
        and first_backward < len(moments)
    )
    temporary = levels[peak] - sum(fixed.values()) - of_gradients - saved - workspace
    parts = MemoryParts(**fixed, gradients=of_gradients, saved=saved, temporary=temporary, workspace=workspace)
    phase, module = moments[peak]
    return MemoryPredicted(parts=parts, phase=phase, module=module, points=_points(levels[before:], moments[before:]))


def _points(levels: list[int], moments: Sequence[tuple[Phase, str | None]]) -> tuple[MemoryPoint, ...]:
    """Return at most `MOST_POINTS` moments, of each stretch the highest: so the peak is among them."""
    stretch = max(1, -(-len(levels) // MOST_POINTS))
    chosen = [
        max(range(start, min(start + stretch, len(levels))), key=levels.__getitem__)
        for start in range(0, len(levels), stretch)
    ]
    last = max(1, len(levels) - 1)
    return tuple(
        MemoryPoint(at=index / last, bytes=levels[index], phase=moments[index][0], module=moments[index][1])
        for index in chosen
    )
