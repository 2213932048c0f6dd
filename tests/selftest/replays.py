"""Rows about `best`: searches replayed on grids that were measured exhaustively, so that the truth is known."""

import math
import random

import numpy as np
from msgspec import structs

from bench.process.messages import Footprint, Turn
from bench.schedule.racing.choice import chosen, finalists, may_win
from bench.schedule.racing.hunt import CONFIRMATIONS, RACE_SHARE
from bench.schedule.racing.race import Bounds, Race, Stable
from bench.schedule.racing.run import CONFIRM_S
from results.schema.lines.record import Record, Samples
from tests.bench.stepping import Machine
from tests.selftest.recorded import grids
from tests.selftest.rows import Row, share_row

REPLAYS = 1000
LIMIT_S = 300.0
"""Time limit of a search."""
REGRET = 0.02
SHARE = 0.3
"""Share of the time of measuring everything that a search may take."""


class Replayed:
    """A worker whose turns are drawn from a process that was recorded."""

    phases = ()

    def __init__(self, machine, setting, rng, process):
        self.machine, self.case = machine, setting.case
        self.turns = setting.processes[process]
        self.at = rng.randrange(len(self.turns))

    def turn(self, *, steps, drop):
        step_s = self.turns[self.at % len(self.turns)]
        self.at += 1
        self.machine.now += step_s * (steps + drop)
        return Turn(phase_s=((step_s,),) * steps, wall_s=step_s)

    def footprint(self):
        return Footprint(host_bytes=1 << 20, device_bytes=None, device_free_bytes=None)

    def end(self, samples, stop, *, check):
        return structs.replace(record_of(self.case, samples.step_s), stop=stop)

    def fail(self, failure, samples=None):
        raise failure

    def close(self):
        pass


def record_of(case, step_s, replicate=0):
    """Return a record with these steps."""
    samples = Samples(step_s=tuple(step_s), turn=tuple(range(len(step_s))), wall_s=tuple(step_s), warmup=0, steady=True)
    return Record(case=case, replicate=replicate, status="ok", started=None, duration_s=None, samples=samples)


def replay(settings, seed):
    """Return the choice of a search among `settings`, and the seconds that it takes."""
    by_case = {setting.case: setting for setting in settings}
    rng, machine = random.Random(seed), Machine()

    def start(case):
        machine.now += by_case[case].cold_s
        return Replayed(machine, by_case[case], rng, rng.randrange(len(by_case[case].processes)))

    race = Race(
        Stable(start=start, admits=lambda case, live: True),
        list(by_case),
        Bounds(),
        epoch=0.0,
        deadline=RACE_SHARE * LIMIT_S,
        clock=machine.clock,
        sleep=machine.sleep,
        seed=seed,
    )
    records = [event for event in race.run() if isinstance(event, Record)]
    seconds = {case: known for case in by_case if (known := race.seconds(case)) is not None}
    stayed = may_win(race.fates.values())
    final = [case for case in finalists(race.fates.values(), seconds) if case in by_case]
    for replicate in range(1, 1 + CONFIRMATIONS):
        for case in final:
            setting = by_case[case]
            machine.now += setting.warm_s + CONFIRM_S
            records.append(record_of(case, rng.choice(setting.processes), replicate))
    return chosen(stayed, records), machine.now


def exhaustive_s(settings):
    """Return the seconds of measuring every setting as the finalists of a search are."""
    processes = 1 + CONFIRMATIONS
    return sum(each.cold_s + CONFIRMATIONS * each.warm_s + processes * CONFIRM_S for each in settings)


def _searched():
    """Return the grids whole, and without int8, whose winners are far ahead."""
    whole = grids()
    floating = {
        f"{model} without int8": tuple(each for each in settings if each.case.precision != "int8")
        for model, settings in whole.items()
    }
    return whole | floating


def replays(*, quick):
    """A search chooses nearly the fastest of all, in a fraction of the time that measuring all takes."""
    runs = REPLAYS // 20 if quick else REPLAYS
    for model, settings in _searched().items():
        truth = {setting.case: setting.typical_s for setting in settings}
        best_s, all_s = min(truth.values()), exhaustive_s(settings)
        near, shares, regrets = 0, [], []
        for seed in range(runs):
            case, took_s = replay(settings, seed)
            regret = math.inf if case is None else truth[case] / best_s - 1
            regrets.append(regret)
            near += regret <= REGRET
            shares.append(took_s / all_s)
        what = f"best: {model}, {len(settings)} settings"
        yield share_row(f"{what}: a choice within {REGRET:.0%} of the fastest", near, runs, low=0.95)
        typical = float(np.median(shares))
        figure = f"{typical:.0%} in the median, {max(shares):.0%} at most"
        yield Row(f"{what}: time of a search over that of measuring all", figure, f"≤ {SHARE:.0%}", typical <= SHARE)
