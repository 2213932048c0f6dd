"""Workers of A/B arms that do without torch: their times are made up, the same in each run of a test.

The number of processes before this one (a file in the folder that `FOLDER` names counts them) is the seed.
"""

import json
import os
import pathlib
import random

from bench.process import forkserver
from tests.bench import campaign

FOLDER = "RESNET_BENCH_ARMS"


class Server(forkserver.ForkServer):
    """The real server, which does not wait for torch; what is not timed is answered by the campaign's worker."""

    def __init__(self, python=None, **options):
        usual = forkserver._START
        preload = "import bench.process.forkserver; bench.process.forkserver.PRELOAD = ('tests.bench.made_up',); "
        forkserver._START = usual.replace("from bench", preload + "from bench")
        try:
            super().__init__(python, **options)
        finally:
            forkserver._START = usual

    def spawn(self, target=forkserver.SERVE):
        return super().spawn("tests.bench.made_up:even" if target == forkserver.SERVE else target)


class _Timed(campaign.Answers):
    factor = 1.0

    def prepare(self, case, **_):
        counter = pathlib.Path(os.environ[FOLDER], "processes")
        seed = counter.stat().st_size if counter.exists() else 0
        with counter.open("a") as file:
            file.write(".")
        self.random = random.Random(seed)
        self.level = 0.01 * self.factor * self.random.lognormvariate(0, 0.005)
        return super().prepare(case)

    def turn(self, steps, **_):
        times = [self.level * self.random.lognormvariate(0, 0.002) for _ in range(steps)]
        return {"phase_s": [[seconds] for seconds in times], "wall_s": 1.01 * sum(times) / steps}


class _Slower(_Timed):
    factor = 1.1


class _Dying(_Timed):
    def turn(self, **_):
        os._exit(3)


class _Refusing(_Timed):
    def prepare(self, **_):
        return {"failed": "unsupported", "cause": "not on this device"}


def _serve(kind, connection):
    answers = kind(json.loads(pathlib.Path(os.environ[FOLDER], "given.json").read_text()))
    token = None
    for line in connection.makefile("rb"):
        request = json.loads(line)
        what, token = request.pop("do"), request.get("token", token)
        answer = getattr(answers, what)(**request) | {"token": token}
        connection.sendall(json.dumps(answer).encode() + b"\n")


def even(connection):
    _serve(_Timed, connection)


def slower(connection):
    _serve(_Slower, connection)


def dying(connection):
    _serve(_Dying, connection)


def refusing(connection):
    _serve(_Refusing, connection)
