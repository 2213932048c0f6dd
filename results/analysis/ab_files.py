"""Run files of A/B comparisons, the two arms of a comparison brought together."""

from collections.abc import Sequence

from results.analysis.ab import Paired, compare_arms
from results.errors import InputError
from results.schema.lines.run import ArmName
from results.storage.reader import Records, RunFile


def compare_pairs(records: Records) -> list[Paired]:
    """Judge each A/B comparison of `records`, in the order of the files.

    Raises:
        InputError: A run is no arm of an A/B comparison, or its other arm is not there.
    """
    return [compare_arms(*arms) for arms in _pairs(records.files)]


def _pairs(files: Sequence[RunFile]) -> list[tuple[Records, Records]]:
    pairs: dict[str, dict[ArmName, RunFile]] = {}
    for file in files:
        if file.run.arm is None:
            raise InputError(f"{file.path} is no arm of an A/B comparison; use `resnet-bench compare` for other runs")
        arms = pairs.setdefault(file.run.arm.pair, {})
        if file.run.arm.name in arms:
            raise InputError(f"{file.path} and {arms[file.run.arm.name].path} are the same arm of one comparison")
        arms[file.run.arm.name] = file
    for arms in pairs.values():
        if len(arms) < 2:
            (alone,) = arms.values()
            raise InputError(f"the run file of the other arm that belongs to {alone.path} is not there")
    return [(Records((arms["a"],)), Records((arms["b"],))) for arms in pairs.values()]
