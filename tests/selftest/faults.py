"""Rows of faults that are planted in the harness itself: each must be caught, and by what is made to catch it."""

import tempfile

from msgspec import structs

from bench.measure.timing import TimingError, time_turn
from bench.process import ask
from bench.process.client import WorkerClient
from bench.process.forkserver import SERVE, ForkServer
from bench.process.protocol import Failed
from bench.schedule.rotation import Left, Lost, Rotation
from bench.schedule.seat import Seat
from results.metrics.timings import medians
from results.metrics.values import latencies
from results.metrics.warnings import warnings
from results.schema.case import Case
from results.schema.lines.static import static_key
from tests.bench.devices import EagerEvents, Unsynchronised, queued
from tests.selftest.live import QUICK, SMALL
from tests.selftest.rows import Row

TRAINING: Case = structs.replace(SMALL, task="training", batch_size=4)
FAULTS = {
    "TF32 left on": ("leaking_tf32", TRAINING, "label: fp32 ran with TF32"),
    "batch changed": ("smaller_batch", TRAINING, "label: batch"),
    "compile time inside the samples": (
        "late_compiler",
        structs.replace(SMALL, runtime="compile"),
        "recompiled: ",
    ),
    "one arm cached": ("remembering", structs.replace(SMALL, layout="nhwc"), "wrong: output"),
    "one arm cached, and so too fast": ("remembering", structs.replace(SMALL, layout="nhwc"), "peak: "),
}
"""What is wrong with a worker: its target, its case and how the warning begins that catches it."""


def faults(*, quick):
    """Plant each fault, and look whether the harness says so; then that the sound worker is not accused."""
    for device in (Unsynchronised(), EagerEvents()):
        yield _refused("no synchronisation", type(device).__name__, lambda device=device: _unsynchronised(device), "")
    with ForkServer() as server, tempfile.TemporaryDirectory() as folder:
        yield _refused("shuffled labels of arms", "", lambda: _crossed(server, folder), "another case")
        for what, (target, case, warning) in FAULTS.items():
            found = _warnings(server, case, f"tests.selftest.planted:{target}", folder)
            caught = next((line for line in found if line.startswith(warning)), None)
            yield Row("planted in the harness", caught or f"not caught: {found}", "caught", caught is not None, what)
        for case in dict.fromkeys(case for _, case, _ in FAULTS.values()):
            found = [line for line in _warnings(server, case, SERVE, folder) if _accuses(line)]
            figure = "; ".join(found) or "no accusation"
            yield Row("nothing planted", figure, "none", not found, f"{case.task} {case.runtime}")


def _accuses(line):
    return line.startswith(tuple({warning.partition(":")[0] for _, _, warning in FAULTS.values()}))


def _refused(what, variant, run, words):
    """Return the row of a fault that must be refused."""
    try:
        run()
    except (TimingError, Failed, RuntimeError) as refusal:
        return Row(what, str(refusal), "refused", words in str(refusal), variant)
    return Row(what, "not caught", "refused", False, variant)


def _unsynchronised(device):
    time_turn(queued(device), device, steps=10, clock=device.clock)


def _crossed(server, folder):
    """Let two live workers change places, as a harness would that mixes up its arms."""
    lives = [WorkerClient(server, SMALL, 0, QUICK), WorkerClient(server, SMALL, 0, QUICK)]
    try:
        for live in lives:
            live.prepare(folder)
        lives[0]._channel, lives[1]._channel = lives[1]._channel, lives[0]._channel
        lives[0].turn(steps=1, drop=0)
    finally:
        for live in lives:
            live.close()


def _warnings(server, case, target, folder):
    """Measure one case alone and return what its record is warned of."""
    records = []
    live = WorkerClient(server, case, 0, QUICK, target)

    try:
        live.prepare(tempfile.mkdtemp(dir=folder))
        for event in Rotation((Seat(case, live),), QUICK).events():
            match event:
                case Left(seat, stop):
                    records.append(live.end(seat.samples(live.phases), stop))
                case Lost(_, failure):
                    raise failure
    finally:
        live.close()
    static = ask.static(server, *static_key(case), timeout_s=60)
    typical = medians(records[:1])
    lines = warnings(records[:1], [static], ask.peaks(server, (case,)), typical, latencies(records[:1], typical))
    return tuple(map(str, lines[0]))
