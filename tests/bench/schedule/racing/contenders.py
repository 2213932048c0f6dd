"""Made-up workers of a race on a made-up clock."""

import random

from msgspec import structs

from bench.process.messages import Footprint, Turn
from bench.process.protocol import Failed
from bench.schedule.racing.race import Stable
from results.schema.lines.record import Record
from tests.bench.stepping import Machine
from tests.conftest import _record


class Contender:
    """A worker whose steps take `step_s` seconds with a spread of 1 %."""

    phases = ()

    def __init__(self, machine, case, step_s, *, fails_at=None, host_bytes=1 << 28):
        self.machine, self.case, self.step_s, self.fails_at = machine, case, step_s, fails_at
        self.host_bytes = host_bytes
        self.random = random.Random(case.key)
        self.turns = 0
        self.closed = False
        self.checked = None

    def turn(self, *, steps, drop):
        self.turns += 1
        if self.turns == self.fails_at:
            raise Failed("crash", "killed by SIGSEGV")
        times = [self.step_s * self.random.lognormvariate(0, 0.01) for _ in range(drop + steps)]
        self.machine.now += sum(times)
        return Turn(phase_s=tuple((seconds,) for seconds in times[drop:]), wall_s=sum(times[drop:]) / steps)

    def footprint(self):
        return Footprint(host_bytes=self.host_bytes, device_bytes=None, device_free_bytes=None)

    def end(self, samples, stop, *, check):
        self.checked = check
        return structs.replace(_record(self.case), samples=samples, stop=stop)

    def fail(self, failure, samples=None):
        return Record(case=self.case, replicate=0, status=failure.status, cause=failure.cause, started=None,
                      duration_s=None, samples=samples)  # fmt: skip

    def close(self):
        self.closed = True


class Paddock:
    """Starts contenders: `step_s` gives their steps by runtime, `refused` those that do not start."""

    def __init__(self, step_s, *, refused=(), prepare_s=1.0, most=99, **options):
        self.machine = Machine()
        self.step_s, self.refused, self.prepare_s, self.most, self.options = step_s, refused, prepare_s, most, options
        self.started = {}

    @property
    def stable(self):
        return Stable(start=self.start, admits=lambda case, live: live < self.most)

    def start(self, case):
        self.machine.now += self.prepare_s
        if case.runtime in self.refused:
            return Record(case=case, replicate=0, status="unsupported", cause="it lacks a package", started=None,
                          duration_s=None)  # fmt: skip
        options = {name: values[case.runtime] for name, values in self.options.items() if case.runtime in values}
        self.started[case] = Contender(self.machine, case, self.step_s[case.runtime], **options)
        return self.started[case]
