"""Measure ResNets on this machine: `run` a suite, compare two arms by `ab`, or `cost` a model without timing it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.costs.static import cost
    from bench.schedule.ab import Side, ab
    from bench.schedule.run import resume, run

__all__ = ["Side", "ab", "cost", "resume", "run"]

_HOMES = {
    "Side": "bench.schedule.ab",
    "ab": "bench.schedule.ab",
    "cost": "bench.costs.static",
    "resume": "bench.schedule.run",
    "run": "bench.schedule.run",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that the command line's help does not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    import importlib  # noqa: PLC0415

    return getattr(importlib.import_module(_HOMES[name]), name)
