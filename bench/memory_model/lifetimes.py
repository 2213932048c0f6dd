"""Follow the storages of fake tensors through a step: when each is allocated, and when it is freed.

Our own trace, as torch's trackers (``torch.distributed._tools``) are private. A view shares the storage of its tensor,
so storages are what counts.
"""

import dataclasses
import functools
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from results.schema.lines.profile import Phase


@dataclasses.dataclass(slots=True)
class Lifetime:
    """A storage; moments are numbers of allocations and releases so far."""

    bytes: int
    begin: int
    phase: Phase
    module: str | None
    end: int | None = None
    """None where it outlives the trace."""
    held: tuple[int, ...] = ()
    """What an operator holds for a moment, of which `bytes` is the largest; empty for a tensor."""


class Lifetimes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A mode in which every new storage is followed."""

    def __init__(
        self,
        where: Callable[[], tuple[Phase, str | None]],
        workspace: Callable[[Any, Any, Any], tuple[int, ...]] = lambda *_: (),
    ) -> None:
        """Begin without storages.

        Args:
            where: returns the phase and the module that are running.
            workspace: returns the bytes that an operator holds for a moment, from it, its operands and its results.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._where = where
        self._workspace = workspace
        self._known: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        self.moments: list[tuple[Phase, str | None]] = []
        """Phase and module of each allocation and release."""
        self.lifetimes: list[Lifetime] = []
        self._open: dict[int, Lifetime] = {}

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(output):
            if isinstance(leaf, torch.Tensor):
                self.follow(leaf)
        held = self._workspace(func, args, output)
        if max(held, default=0):
            self._hold_for_a_moment(held)
        return output

    def _hold_for_a_moment(self, held: tuple[int, ...]) -> None:
        phase, module = self._where()
        begin = len(self.moments)
        self.lifetimes.append(
            Lifetime(bytes=max(held), begin=begin, end=begin + 1, phase=phase, module=module, held=held)
        )
        self.moments += [(phase, module)] * 2

    def follow(self, tensor: torch.Tensor) -> Lifetime | None:
        """Follow the storage of a tensor, unless it is followed; return its lifetime."""
        storage = tensor.untyped_storage()
        key = id(storage)
        reference = self._known.get(key)
        if reference is None or reference() is not storage:
            self._known[key] = weakref.ref(storage, functools.partial(self._released, key))
            phase, module = self._where()
            lifetime = Lifetime(bytes=storage.nbytes(), begin=len(self.moments), phase=phase, module=module)
            self._open[key] = lifetime
            self.lifetimes.append(lifetime)
            self.moments.append((phase, module))
        return self._open.get(key)

    def _released(self, key: int, _: object) -> None:
        lifetime = self._open.pop(key, None)
        if lifetime is not None:
            lifetime.end = len(self.moments)
            self.moments.append(self._where())
