"""Pair the run files of A/B comparisons, and judge each comparison."""

from collections.abc import Sequence

from results.analysis.ab import Paired, compare_arms
from results.errors import InputError
from results.schema.run import ArmName
from results.storage.reader import Records, RunFile


def compare_pairs(records: Records) -> list[Paired]:
    """Judge each A/B comparison of `records`, in the order of the files.

    Raises:
        InputError: A run is no arm of an A/B comparison, or the run of the other arm is missing.
    """
    return [compare_arms(*sides) for sides in _pairs(records.files)]


def _pairs(files: Sequence[RunFile]) -> list[tuple[Records, Records]]:
    pairs: dict[str, dict[ArmName, RunFile]] = {}
    for file in files:
        if file.run.arm is None:
            raise InputError(f"{file.path} is no side of an A/B comparison; use `resnet-bench compare` for other runs")
        sides = pairs.setdefault(file.run.arm.pair, {})
        if file.run.arm.name in sides:
            raise InputError(f"{file.path} and {sides[file.run.arm.name].path} are the same side of one comparison")
        sides[file.run.arm.name] = file
    for sides in pairs.values():
        if len(sides) < 2:
            (alone,) = sides.values()
            raise InputError(f"the run file of the other arm that belongs to {alone.path} is not there")
    return [(Records((sides["a"],)), Records((sides["b"],))) for sides in pairs.values()]
