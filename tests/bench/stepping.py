"""Fake workers on a fake clock: their steps are what moves it."""

import contextlib
import functools
import random
import types

import msgspec

from bench.process import ask
from bench.process.messages import Footprint, Turn
from bench.process.protocol import Failed
from bench.schedule import agenda, replicate, run
from bench.schedule.rotation import Rotation
from results.schema.labels import TASKS
from tests.bench.fakes import FakeServer, FakeWorker


class Machine:
    """A machine with a clock, which the steps of all workers move."""

    def __init__(self):
        self.now = 0.0
        self.paused = 0.0
        self.log = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.paused += seconds


class Scripted:
    """A worker whose steps take what a function of the time says, and that may fail at a given turn."""

    def __init__(self, machine, name, step_s, fails_at=None):
        self.machine, self.name, self.step_s, self.fails_at = machine, name, step_s, fails_at
        self.turns = 0

    def turn(self, *, steps, drop):
        self.turns += 1
        if self.turns == self.fails_at:
            raise Failed("crash", "killed by SIGSEGV")
        self.machine.log.append(self.name)
        times = []
        for _ in range(drop + steps):
            times.append(self.step_s(self.machine.now))
            self.machine.now += times[-1]
        timed = times[drop:]
        return Turn(phase_s=tuple((seconds,) for seconds in timed), wall_s=sum(timed) / len(timed))


def noisy(mean_s, sd, seed):
    """Return a function of the time that gives steps around `mean_s`."""
    rng = random.Random(seed)
    return lambda now: mean_s * rng.lognormvariate(0, sd)


class Stepping(FakeWorker):
    """Answers every verb; its steps take what `step_s(case, now)` says."""

    def __init__(self, machine, given, step_s, start_s, host_bytes):
        super().__init__(given)
        self.machine, self._step_s, self.start_s, self._host_bytes = machine, step_s, start_s, host_bytes

    def prepare(self, request):
        self.machine.now += self.start_s
        return super().prepare(request)

    def turn(self, request):
        times = []
        for _ in range(request.drop + request.steps):
            times.append(self._step_s(self.case, self.machine.now) * self.random.lognormvariate(0, 0.003))
            self.machine.now += times[-1]
        timed = times[request.drop :]
        parts = max(1, len(TASKS[self.case.task].phases))
        return Turn(
            phase_s=tuple((seconds / parts,) * parts for seconds in timed), wall_s=1.001 * sum(timed) / len(timed)
        )

    def footprint(self, request):
        return Footprint(host_bytes=self._host_bytes(self.case), device_bytes=None, device_free_bytes=None)


def no_script(verb, case, server):
    """Let every worker answer."""


class Clockwork:
    """Lets the whole schedule run on the clock of a machine, and gives servers whose workers move it."""

    def __init__(self, monkeypatch):
        self.machine = Machine()
        self._patch = monkeypatch
        for module in (run, agenda, replicate, ask):
            monkeypatch.setattr(module, "time", types.SimpleNamespace(perf_counter=self.machine.clock))
        on_clock = functools.partial(Rotation, clock=self.machine.clock, sleep=self.machine.sleep)
        monkeypatch.setattr(replicate, "Rotation", on_clock)

    def server(self, step_s=lambda case, now: 0.01, script=no_script, start_s=0.1, host_bytes=lambda case: 1 << 20):
        """Return a server, which is also that of runs from now on."""
        from tests.conftest import _run, _static  # noqa: PLC0415 - the real workers of other tests need none of it

        given = {
            "environment": msgspec.to_builtins(_run().environment),
            "static": msgspec.to_builtins(_static()),
        }
        server = FakeServer(
            script, worker=functools.partial(Stepping, self.machine, given, step_s, start_s, host_bytes)
        )
        self._patch.setattr(run, "ForkServer", lambda: contextlib.nullcontext(server))
        return server
