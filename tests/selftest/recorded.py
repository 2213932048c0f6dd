"""Grids of settings that were measured exhaustively, kept as the times of their turns.

`resnet-bench run tests/selftest/grid.toml` measures them; `python -m tests.selftest.recorded RUN` writes a file for
each model into `grids`.
"""

import dataclasses
import json
import math
import pathlib
import statistics
import sys

import msgspec

from results.schema.case import Case
from results.storage.reader import load

FOLDER = pathlib.Path(__file__).with_name("grids")
START_S = 0.5
"""Seconds of a fresh worker before its first step."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of a grid."""

    case: Case
    cold_s: float
    """Seconds until its first process is ready."""
    warm_s: float
    """Seconds until a later process is ready."""
    processes: tuple[tuple[float, ...], ...]
    """Seconds of a step, the median of each warm turn of each process."""

    @property
    def typical_s(self):
        """Return the geometric mean over processes of the median step: the truth of a replay."""
        return math.exp(statistics.fmean(math.log(statistics.median(turns)) for turns in self.processes))


def grids():
    """Return the settings of each recorded model by its name."""
    read = {}
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        read[document["model"]] = tuple(msgspec.convert(row, Setting) for row in document["settings"])
    return read


def settings_of(file, model):
    """Return the settings of a model in a run file that ended well and computed the right result."""
    settings = []
    for case, replicates in file.cases().items():
        records = [record for record in replicates.values() if record.status == "ok" and record.samples is not None]
        wrong = any(record.equality is not None and record.equality.verdict == "wrong" for record in records)
        if case.model != model or len(records) < len(replicates) or wrong:
            continue
        processes = tuple(tuple(float(f"{median:.4g}") for median in turns(record.samples)) for record in records)
        steps = [statistics.median(own) for own in processes]
        cold = [record.facts.first_step_s for record in records if record.facts.first_step_s is not None]
        warm = [record.facts.warm_compile_s for record in records if record.facts.warm_compile_s is not None]
        settings.append(
            Setting(
                case=case,
                cold_s=round(START_S + cold[0], 3),
                warm_s=round(START_S + (statistics.median(warm) if warm else cold[-1]) + steps[-1], 3),
                processes=processes,
            )
        )
    return settings


def turns(samples):
    """Return the median step of each turn after the warm-up."""
    by_turn = {}
    for step_s, turn in zip(samples.step_s[samples.warmup :], samples.turn[samples.warmup :], strict=True):
        by_turn.setdefault(turn, []).append(step_s)
    return [statistics.median(own) for own in by_turn.values()]


def main(path):
    """Write a file for each model of a run."""
    (file,) = load(path).files
    environment = file.run.environment
    for model in dict.fromkeys(case.model for case in file.run.plan):
        rows = [msgspec.to_builtins(setting) for setting in settings_of(file, model)]
        machine = f"{environment.cpu}, {environment.usable_cores} cores, torch {environment.torch}"
        document = {"model": model, "machine": machine, "started": file.run.started, "settings": rows}
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{model}.json").write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
