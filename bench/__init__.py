"""Measure ResNets on the machine in front of you: `run` a suite, or `cost` a model without timing it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.costs import cost
    from bench.runner import run

__all__ = ["cost", "run"]

_HOMES = {"cost": "bench.costs", "run": "bench.runner"}


def __getattr__(name: str) -> Any:
    """Load what is asked for only then: the command line's help must not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    import importlib  # noqa: PLC0415

    return getattr(importlib.import_module(_HOMES[name]), name)
