"""Real runs without torch: runner, fork server, rotation and writer are the real ones, the workers are fakes.

A run takes half a second so, and its workers can go wrong in any way (`FAULTS`).
"""

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time

import psutil

from tests.bench import fakes
from tests.bench.fakes import FOLDER

QUICK = {"replicates": 1, "target": 0.5, "budget_s": 0.02, "timeout_s": 60.0}


class Server(fakes.Server):
    """The real server, whose workers are those below."""

    def __init__(self):
        super().__init__(target="tests.bench.campaign:worker")


# ---------------------------------------------------------------------------------------------------- the worker's side


def worker(connection):
    """Be a fake whose replies go wrong as ``faults`` say (see `prepare`)."""
    faults = fakes.given().get("faults", {})

    def spoil(verb, worker, reply):
        case = worker.case
        fault = faults.get(f"{case and case.batch_size} {case and case.layout} {verb}")
        return reply if fault is None else FAULTS[fault](connection, reply)

    fakes.serve(connection, spoil=spoil)


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


prepare = fakes.write_given
"""Writes what the workers answer; ``faults`` are names of `FAULTS` by batch size, layout and verb, such as
``{"3 nhwc turn": "hang"}``."""


def descendants(folder):
    """Return the processes that belong to the campaign in `folder`; one that has ended has no variables."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(FOLDER) == str(folder):
                found.append(process)
    return found
