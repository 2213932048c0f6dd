"""Fields that are measured live: equal networks in a rotation, and one among them that is slowed down on purpose."""

import itertools
import math
import random
import statistics
import tempfile
import time

import numpy as np

from bench.process import ask
from bench.process.client import WorkerClient
from bench.process.forkserver import SERVE, ForkServer
from bench.schedule.rotation import Left, Lost, Rotation
from bench.schedule.seat import Seat
from results.analysis.rank import FAMILY_ALARMS
from results.metrics.levels import levels
from results.schema.lines.run import Settings
from results.statistics.allpairs import all_pairs
from results.statistics.margin import MARGIN
from tests.selftest.rotating import case_of
from tests.selftest.rows import Row, share_row

FIELDS = 20
COPIES = 11
PLANTED = 5
"""The copy that waits 5 % of its time."""
REPLICATES = 8
"""As in the default suite."""
SETTINGS = Settings(replicates=REPLICATES, target=1e-4, budget_s=0.35, timeout_s=60.0, time_limit_s=None)


def field_live(*, quick):
    """Eleven resnet18 at batch 1, one slower by 5 %: what is shown to differ, and what is not."""
    count = FIELDS // 10 if quick else FIELDS
    pairs = list(itertools.combinations(range(COPIES), 2))
    equal, caught, beyond, spreads = [], [], [], []
    with ForkServer() as server, tempfile.TemporaryDirectory() as folder:
        _, environment = ask.environment(server, {"cpu"})
        case = case_of("resnet18", environment.torch_threads)
        began = time.monotonic()
        for number in range(count):
            logs = np.array([_replicate(server, case, folder, (number, index)) for index in range(REPLICATES)])
            first, second = np.array(pairs).T
            differences = logs[:, second] - logs[:, first]
            spreads.append(statistics.median(np.std(differences, axis=0, ddof=1).tolist()))
            # Against the null of no difference, and against that of a difference within the margin.
            shown, far = (all_pairs(differences, COPIES, margin).corrected <= FAMILY_ALARMS for margin in (0.0, MARGIN))
            for pair, is_shown, is_far in zip(pairs, shown.tolist(), far.tolist(), strict=True):
                if PLANTED in pair:
                    caught.append(is_shown)
                else:
                    equal.append(is_shown)
                    beyond.append(is_far)
        took = time.monotonic() - began
    what = f"{count} live fields of {COPIES} resnet18, {REPLICATES} replicates, {took / 60:.0f} min"
    yield share_row(f"{what}: equal pairs called different at the margin", sum(beyond), len(beyond), high=0.01)
    yield share_row(f"{what}: equal pairs shown to differ at all", sum(equal), len(equal), high=0.01)
    yield share_row(f"{what}: pairs with the copy that is 5 % slower, shown", sum(caught), len(caught), low=0.95)
    spread = math.sqrt(statistics.mean(sd**2 for sd in spreads))
    yield Row(f"{what}: sd of a pair's log ratio across replicates", f"{spread:.2%}", "printed", True)


def _replicate(server, case, folder, seed):
    """Return the levels of the copies in a replicate of fresh workers."""
    targets = [SERVE] * COPIES
    targets[PLANTED] = "tests.selftest.planted:five_percent"
    lives = [WorkerClient(server, case, 1, SETTINGS, target) for target in targets]
    records = {}
    try:
        for live in lives:
            live.prepare(folder)
        seats = {Seat(case, live): index for index, live in enumerate(lives)}
        for event in Rotation(tuple(seats), SETTINGS, shuffler=random.Random(str(seed))).events():
            if isinstance(event, Lost):
                raise event.failure
            if isinstance(event, Left):
                live = lives[seats[event.seat]]
                records[seats[event.seat]] = live.end(event.seat.samples(live.phases), event.stop)
    finally:
        for live in lives:
            live.close()
    return levels([records[index] for index in range(COPIES)], range(COPIES)).level
