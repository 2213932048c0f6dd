"""Whether a candidate that takes long to prepare can win at all, by what was measured of others."""

from collections.abc import Mapping
from typing import Final

from results.schema.axes import axis_text, setting_texts
from results.schema.case import Case
from results.schema.labels import RUNTIMES

COMPILER_GAIN: Final = 2.5
"""More than compilation ever gained over eager in the same precision, in the better layout: 2.14 is the most that was
measured (resnet50 in bf16 by AOTInductor, on two cores with AVX-512)."""
LAYOUT_GAIN: Final = 1.4
"""More than the layout of the images ever changed in a compiler, which chooses its own layout inside: 1.37 is the most
that was measured (resnet18 in fp32 by torch.compile)."""


def is_heavy(case: Case) -> bool:
    """Return whether a candidate is started only if it may win."""
    facts = RUNTIMES[case.runtime]
    return facts.compiles and not facts.light


def least_s(case: Case, measured: Mapping[Case, float]) -> tuple[float, str] | None:
    """Return the least seconds an image that a candidate may take, and what says so; None if nothing does.

    Args:
        case: the candidate.
        measured: seconds an image of candidates that have run.
    """
    twins = [other for other in measured if _alike(other, case) and other.runtime == case.runtime]
    if twins:
        twin = min(twins, key=measured.__getitem__)
        return measured[twin] / LAYOUT_GAIN, _says(twin, case, measured)
    plain = [other for other in measured if _alike(other, case) and RUNTIMES[other.runtime].engine == "eager"]
    if plain:
        fastest = min(plain, key=measured.__getitem__)
        return measured[fastest] / COMPILER_GAIN, _says(fastest, case, measured)
    return None


def _alike(other: Case, case: Case) -> bool:
    """Return whether two candidates differ at most in runtime and layout."""
    axes = ("model", "task", "batch_size", "image_size", "device", "precision", "threads")
    return all(getattr(other, axis) == getattr(case, axis) for axis in axes)


def short_name(case: Case, other: Case) -> str:
    """Return the settings of a case, with its other axes where they differ from those of `other`."""
    more = [
        axis_text(name, getattr(case, name))
        for name in ("model", "batch_size", "threads")
        if getattr(case, name) != getattr(other, name)
    ]
    return " ".join([*more, *setting_texts(case)])


def _says(measured: Case, case: Case, seconds: Mapping[Case, float]) -> str:
    return f"{short_name(measured, case)} takes {seconds[measured] * 1e3:.3g} ms an image"
