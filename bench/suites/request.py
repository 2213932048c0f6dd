"""What a caller of the library asks for, in any of the shapes that it takes, decided and checked once."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.suites.suite import Suite, check_case, choose, kind_of, override, sample
from bench.suites.values import DEFAULTS, change_settings
from results.errors import InputError
from results.schema.case import Case
from results.schema.lines.run import Settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GivenCases:
    """Cases that are measured as they are, and how to sample them."""

    cases: tuple[Case, ...]
    settings: Settings


def requested(
    suite: Suite | str | Path | Iterable[Case] | None,
    axes: Mapping[str, Sequence[str | int]] | None,
    settings: Mapping[str, object],
) -> Suite | GivenCases:
    """Return the suite, or the cases, that the arguments of `bench.run` describe.

    Raises:
        InputError: an argument is wrong, or there is nothing to measure.
    """
    if suite is None or isinstance(suite, (str, Path)):
        return choose(suite, axes or {}, settings)
    if isinstance(suite, Suite):
        return sample(override(suite, axes or {}), settings)
    cases = tuple(dict.fromkeys(suite))
    if axes:
        raise InputError("axes change a suite; given cases are measured as they are")
    if not cases:
        raise InputError("no cases to measure")
    for case in cases:
        check_case(case)
    defaults = DEFAULTS[kind_of(cases[0].device)]
    return GivenCases(cases=cases, settings=change_settings(defaults, **settings))
