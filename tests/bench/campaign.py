"""Real runs without torch: runner, fork server, rotation and writer are the real ones, the workers make their times up.

A run takes half a second so, and its workers can be told to go wrong in any way.
"""

import contextlib
import json
import math
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time

import msgspec
import psutil

from bench.process import forkserver

FOLDER = "RESNET_BENCH_CAMPAIGN"
"""Variable that names the folder of a campaign: it is how all descendants of a run are found, whoever adopted them."""
QUICK = {"target": 0.5, "budget_s": 0.02, "timeout_s": 60.0}


class Server(forkserver.ForkServer):
    """The real server, whose workers are those below and do without torch."""

    def __init__(self):
        preload = (
            "import bench.process.forkserver; bench.process.forkserver.PRELOAD = ('tests.bench.campaign',); "
            "bench.process.forkserver._LEAVE_S = 1.0; "
        )
        usual, forkserver._START = forkserver._START, forkserver._START.replace("from bench", preload + "from bench")
        try:
            super().__init__()
        finally:
            forkserver._START = usual

    def spawn(self, target=""):
        return super().spawn("tests.bench.campaign:worker")


# ---------------------------------------------------------------------------------------------------- the worker's side


def worker(connection):
    """Answer as `bench.worker.serve.serve` does, with times that are made up."""
    folder = pathlib.Path(os.environ[FOLDER])
    given = json.loads((folder / "given.json").read_text())
    faults = given.get("faults", {})
    answers, case, token = Answers(given), {}, None
    for line in connection.makefile("rb"):
        request = json.loads(line)
        what = request.pop("do")
        case, token = request.get("case", case), request.get("token", token)
        answer = getattr(answers, what)(**request) | {"token": token}
        fault = faults.get(f"{case.get('batch_size')} {case.get('layout')} {what}")
        if fault is not None:
            answer = FAULTS[fault](connection, answer)
        if answer is not None:
            _send(connection, json.dumps(answer).encode())


class Answers:
    """What a worker says, by what it is asked."""

    def __init__(self, given):
        self.given, self.case, self.random = given, None, random.Random(os.getpid())

    def describe(self, devices):
        from bench.worker import serve as real  # noqa: PLC0415 - a worker that times need not have it

        return {"protocol": real.PROTOCOL, "devices": list(devices), "environment": self.given["environment"]}

    def static(self, model, image_size):
        return {"static": {**self.given["static"], "model": model, "image_size": image_size}}

    def peak(self, **_):
        return {"flops_per_s": 1e12}

    def prepare(self, case, **_):
        self.case = case
        training = case["task"] == "training"
        phases = ["forward", "backward", "optimizer"] if training else []
        return {"first_step_s": 0.5, "phases": phases, "notes": []}

    def footprint(self, **_):
        return {"host_bytes": 1 << 20, "device_bytes": None, "device_free_bytes": None}

    def turn(self, steps, **_):
        parts = 3 if self.case["task"] == "training" else 1
        rows = [[self.random.uniform(0.0099, 0.0101) / parts for _ in range(parts)] for _ in range(steps)]
        return {"phase_s": rows, "wall_s": 0.0102}

    def check(self, **_):
        found = {"verdict": "equal", "error": 1e-6, "baseline_error": 1e-6, "allowed": 1e-5, "what": "output"}
        return {"equality": found}

    def finish(self, **_):
        ran = {
            "parameter_dtypes": ["float32"],
            "compute_dtypes": ["float32"],
            "layout": self.case["layout"],
            "tf32_matmul": False,
            "tf32_convolution": False,
            "autocast": None,
            "grad_scaler": False,
            "threads": 1,
        }
        nulls = {"compile_s": "nothing is compiled"}
        return {"facts": {"peak_resident_bytes": 1 << 20}, "nulls": nulls, "notes": [], "ran": ran}


def _send(connection, data):
    connection.sendall(data + b"\n")


def _die(number):
    return lambda _connection, _answer: os.kill(os.getpid(), number)


def _hang(_connection, _answer):
    """Hang with a child and a grandchild that ignore their parents' end."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    nested = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {code!r}]); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", nested], start_new_session=True)
    time.sleep(600)


def _dribble(connection, _answer):
    while True:
        connection.sendall(b" ")
        time.sleep(0.1)


def _exit(_connection, _answer):
    print("so long")  # noqa: T201
    sys.stdout.flush()
    os._exit(0)


def _close(connection, _answer):
    connection.shutdown(socket.SHUT_RDWR)
    time.sleep(600)


def _endless(connection, _answer):
    """Send a line that does not end."""
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"9" * (1 << 20))
    time.sleep(600)


def _says(data):
    return lambda connection, _answer: _send(connection, data)


def _prints(_connection, answer):
    os.write(1, b"\xff\x00 garbage \x1b[31m\n" * 100)
    os.write(2, b'{"phase_s": [[0.0]], "wall_s": 0}\n')
    return answer


def _with(**changes):
    return lambda _connection, answer: answer | changes


def _times(value):
    """Put `value` in the place of every time in an answer."""

    def spoil(_connection, answer):
        spoilt = {key: value for key in answer if key in {"wall_s", "first_step_s", "host_bytes", "flops_per_s"}}
        for part, name in (("static", "arithmetic_intensity"), ("environment", "cgroup_cpus")):
            if part in answer:
                spoilt[part] = answer[part] | {name: value}
        if "phase_s" in answer:
            spoilt["phase_s"] = [[value] * len(row) for row in answer["phase_s"]]
        if "facts" in answer:
            spoilt["facts"] = {"peak_resident_bytes": value}
        return answer | spoilt

    return spoil


FAULTS = {
    "killed": _die(signal.SIGKILL),
    "segfault": _die(signal.SIGSEGV),
    "signal 40": _die(40),
    "hang": _hang,
    "dribble": _dribble,
    "exit 0": _exit,
    "close": _close,
    "endless line": _endless,
    "no json": _says(b"\xff\xfe no json"),
    "no object": _says(b"[1, 2]"),
    "nothing": _says(b"{}"),
    "too deep": _says(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "huge number": _says(b'{"wall_s": ' + b"9" * 5000 + b"}"),
    "prints": _prints,
    "nan": _times(math.nan),
    "infinite": _times(math.inf),
    "zero": _times(0.0),
    "negative": _times(-0.01),
    "text": _times("0.01"),
    "null": _times(None),
    "boolean": _times(True),
    "other shape": _with(phase_s=[[0.01, 0.01], [0.01]], phases=["forward"], facts=[], nulls=[], notes={"a": 1}),
    "no rows": _with(phase_s=[], phases="forward", notes="a note", facts={"weather": 1}),
    "flat rows": _with(phase_s=[0.01], phases=None, nulls=None),
    "another's": _with(token="another's"),  # noqa: S106 - it says who speaks, and guards nothing
    "strange status": _with(failed="tired", cause="it is late"),
    "no cause": _with(failed="error"),
    "long notes": _with(notes=["x" * 5000], nulls={"x": "y" * 5000}),
}
"""What a worker does in the place of an answer, or makes of it."""


# ------------------------------------------------------------------------------------------------- the parent's side


def prepare(folder, **more):
    """Write into `folder` what the workers are to say of the machine and of a model, and `more`.

    ``faults`` are names of `FAULTS` by batch size, layout and question: ``{"3 nhwc turn": "hang"}``.
    """
    from tests.conftest import _run, _static  # noqa: PLC0415 - the dying process needs none of it

    given = {"environment": msgspec.to_builtins(_run().environment), "static": msgspec.to_builtins(_static()), **more}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "given.json").write_text(json.dumps(given))


def descendants(folder):
    """Return the processes that belong to the campaign in `folder`; one that has ended has no variables."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(FOLDER) == str(folder):
                found.append(process)
    return found
