"""Workers of A/B arms that do without torch: their times are made up, the same in each run of a test.

The number of processes before this one (a file in the folder that `FOLDER` names counts them) is the seed.
"""

import os
import pathlib
import random
import time

from bench.process.messages import Turn
from bench.process.protocol import Failure
from tests.bench import fakes
from tests.bench.fakes import FOLDER, FakeWorker


class Server(fakes.Server):
    """The real server, whose usual workers are even."""

    def __init__(self, python=None, **options):
        super().__init__(python, target="tests.bench.made_up:even", **options)


class _Timed(FakeWorker):
    factor = 1.0

    def prepare(self, request):
        counter = pathlib.Path(os.environ[FOLDER], "processes")
        seed = counter.stat().st_size if counter.exists() else 0
        with counter.open("a") as file:
            file.write(".")
        self.random = random.Random(seed)
        self.level = 0.01 * self.factor * self.random.lognormvariate(0, 0.005)
        return super().prepare(request)

    def turn(self, request):
        times = [self.level * self.random.lognormvariate(0, 0.002) for _ in range(request.steps)]
        return Turn(phase_s=tuple((seconds,) for seconds in times), wall_s=1.01 * sum(times) / request.steps)


class _Slower(_Timed):
    factor = 1.1


class _Dying(_Timed):
    def turn(self, request):
        os._exit(3)


class _Refusing(_Timed):
    def prepare(self, request):
        super().prepare(request)
        raise NotImplementedError

    def failure(self, error):
        return Failure(failed="unsupported", cause="not on this device")


class _Slow(_Timed):
    """Takes long to answer about its machine and its model."""

    def peak(self, request):
        time.sleep(5)
        return super().peak(request)

    def static(self, request):
        time.sleep(5)
        return super().static(request)


def even(connection):
    fakes.serve(connection, _Timed)


def slow(connection):
    fakes.serve(connection, _Slow)


def slower(connection):
    fakes.serve(connection, _Slower)


def dying(connection):
    fakes.serve(connection, _Dying)


def refusing(connection):
    fakes.serve(connection, _Refusing)
