"""Workers that misbehave, for the fork server's and the runner's tests. Each takes the worker's socket."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil

from bench.machine.cpu import bound_cores, given_cores


def _answer(connection, content):
    connection.sendall(json.dumps(content).encode() + b"\n")


def echo(connection):
    for line in connection.makefile("rb"):
        threads = psutil.Process().num_threads()
        answer = {"echo": json.loads(line), "pid": os.getpid(), "threads": threads}
        answer["has_torch"] = "torch" in sys.modules
        cuda = sys.modules["torch"].cuda
        answer["accelerator_initialised"] = cuda.is_initialized()
        answer["bad_fork"] = cuda._is_in_bad_fork()
        _answer(connection, answer)


def cores(connection):
    for _ in connection.makefile("rb"):
        _answer(connection, {"given": sorted(given_cores()), "bound": sorted(bound_cores()), "set": [*os.environ]})


def where(connection):
    import bench  # noqa: PLC0415 - whose it is depends on the path of this process

    for _ in connection.makefile("rb"):
        _answer(connection, {"bench": bench.__path__[0]})


def segfault(connection):
    connection.makefile("rb").readline()
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(connection):
    connection.makefile("rb").readline()
    time.sleep(600)


def leave(connection):
    connection.makefile("rb").readline()
    sys.stdout.write("garbage on stdout\n")
    sys.stdout.flush()
    sys.stderr.write("I am leaving\n")


def babble(connection):
    connection.makefile("rb").readline()
    connection.sendall(b"no json\n")
    time.sleep(600)


def raise_early(connection):
    raise RuntimeError("boom")


def have_children(connection):
    """Start a child that ignores its parent's end, in a session of its own."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    for _ in connection.makefile("rb"):
        _answer(connection, {"child": child.pid})
