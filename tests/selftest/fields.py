"""Simulated runs whose cases take turns in a field: how often `rank` shows differences, false ones and planted ones.

The times are drawn; the fit of levels and the ranking are the product's own code, on records as a run writes them.
"""

import math
import pathlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from results.analysis.rank import Ranking, rank
from results.schema.case import Case
from results.schema.lines.record import Facts, Record, Samples
from results.schema.lines.run import Environment, RunHeader
from results.storage.reader import Records, RunFile
from tests.selftest.rotating import case_of
from tests.selftest.rows import Row, share_row

Floats = npt.NDArray[np.float64]

FIELDS: Final = 200
CASES: Final = 11
REPLICATES: Final = 8
"""As in the default suites."""
TURNS: Final = 10
STEPS: Final = 3
PLANTED: Final = 0.05

_PROCESS: Final = 0.015
"""Standard deviation of the log level between processes: memory placement, and the like."""
_TURN: Final = 0.01
_STEP: Final = 0.01
_SPIKES: Final = 0.03
"""Share of turns that a spike hits, by 30 to 300 %."""
_DRIFT: Final = 0.1
"""Standard deviation of the log drift of the machine from the start of a replicate to its end."""
_LOADED: Final = 0.3
"""Share of replicates in the middle of which other load comes and slows all cases by 10 to 50 %."""
_EMPTY: Final[dict[str, Any]] = {"cpu_flags": (), "accelerators": (), "torch_build": {}, "variables": {}, "nulls": {}}
_NOWHERE: Final = dict.fromkeys(Environment.__struct_fields__) | _EMPTY
"""The environment of a machine of which nothing is known."""


def field_rows(*, quick: bool) -> Iterator[Row]:
    """Equal cases are hardly ever shown to differ, and a planted slow-down is."""
    fields = FIELDS // 10 if quick else FIELDS
    rng = np.random.default_rng(20261126)
    equal = [_ranking(rng, 0.0) for _ in range(fields)]
    shown = [sum(pair.verdict == "slower" for pair in ranking.pairs) for ranking in equal]
    what = f"field: {CASES} equal cases, {REPLICATES} replicates"
    yield share_row(f"{what}: pairs shown to differ", sum(shown), fields * math.comb(CASES, 2), high=0.01)
    yield share_row(f"{what}: any pair shown to differ", sum(map(bool, shown)), fields, high=0.05)
    slowed = _case(CASES // 2).key
    caught = sum(
        pair.verdict == "slower" and pair.slower == slowed
        for ranking in (_ranking(rng, PLANTED) for _ in range(fields))
        for pair in ranking.pairs
    )
    yield share_row(f"field: one of {CASES} slower by {PLANTED:.0%}: shown", caught, fields * (CASES - 1), low=0.95)


def _ranking(rng: np.random.Generator, planted: float) -> Ranking:
    """Return the ranking of a simulated run in which the case in the middle is slower."""
    records = [record for replicate in range(REPLICATES) for record in _replicate(rng, replicate, planted)]
    run = RunHeader(
        id="simulated",
        started=None,
        suite="field",
        settings=None,
        environment=Environment(**_NOWHERE),
        plan=tuple(map(_case, range(CASES))),
    )
    file = RunFile(path=pathlib.Path("x"), run=run, statics=(), records=tuple(records), complete=True, problems=())
    (ranking,) = rank(Records((file,)))
    return ranking


def _case(index: int) -> Case:
    return case_of(f"copy-{index}", threads=2)


def _replicate(rng: np.random.Generator, replicate: int, planted: float) -> Iterator[Record]:
    """Yield the records of a replicate, whose workers take turns in a random order a round."""
    order = np.argsort(rng.random((TURNS, CASES)), axis=1)
    at = (np.arange(TURNS)[:, None] * CASES + order) / (TURNS * CASES)
    along = at - (rng.random() if rng.random() < _LOADED else math.inf)
    log = _drifted(rng, at) + np.where(along > 0, math.log(rng.uniform(1.1, 1.5)), 0.0)
    log += _PROCESS * rng.standard_normal(CASES) + _TURN * rng.standard_normal(log.shape)
    log += np.where(rng.random(log.shape) < _SPIKES, np.log(rng.uniform(1.3, 4, log.shape)), 0.0)
    log[:, CASES // 2] += math.log1p(planted)
    step_s = 0.02 * np.exp(log[:, :, None] + _STEP * rng.standard_normal((TURNS, CASES, STEPS)))
    for index in range(CASES):
        yield Record(
            case=_case(index),
            replicate=replicate,
            status="ok",
            started="2026-11-26T00:00:00Z",
            duration_s=1.0,
            facts=Facts(),
            samples=Samples(
                step_s=tuple(step_s[:, index].ravel().tolist()),
                turn=tuple(np.repeat(np.arange(TURNS), STEPS).tolist()),
                wall_s=tuple(step_s[:, index].mean(axis=1).tolist()),
                at_s=tuple((60.0 * at[:, index]).tolist()),
                part=(0,) * TURNS,
                warmup=0,
                steady=True,
            ),
        )


def _drifted(rng: np.random.Generator, at: Floats) -> Floats:
    """Return the logarithmic drift at each time from 0 to 1: a random walk."""
    walk = np.cumsum(_DRIFT * rng.standard_normal(at.size) / math.sqrt(at.size))
    return np.asarray(np.interp(at, np.linspace(0, 1, at.size), walk))
