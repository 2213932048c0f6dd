"""The server's half of `bench.process.forkserver`: it imports torch once, and forks workers.

The server does nothing else: it starts no thread, opens no accelerator and runs no model, so that a worker starts in
the state of a new interpreter. numpy's OpenBLAS starts threads when it is imported, but ends them before a fork.

No process survives: the server dies when the parent's socket closes, in whatever way the parent ended; workers die with
the server; and processes that a worker leaves (a compiler, for example) are adopted by the server, their subreaper, and
killed when the worker ends. Where the kernel has no subreaper, the worker's process group is killed.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pathlib
import signal
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import psutil

from bench.machine.cpu import remember_cores

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36


def serve_forks(file_number: int, preload: Sequence[str], leave_s: float) -> None:
    """Serve forks on a socket, until it closes.

    Args:
        file_number: file number of the socket.
        preload: modules to import before the first fork.
        leave_s: seconds in which a worker must end after its last answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    connection = socket.socket(fileno=file_number)
    remember_cores()
    variables = set(os.environ)
    with warnings.catch_warnings(action="ignore"):  # of one library about another: nothing a user can act on
        for module in preload:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
    for name in set(os.environ) - variables:  # torch sets a folder of its own, which would pass for the user's
        del os.environ[name]
    gc.collect()
    gc.freeze()  # else each worker's first garbage collection walks all imported modules and copies their pages: 0.3 s
    workers: set[int] = set()
    try:
        for request, descriptors in _requests(connection):
            if "spawn" in request:
                pid = _fork(request["spawn"], descriptors.pop(0), descriptors.pop(0), connection)
                workers.add(pid)
                answer: dict[str, Any] = {"pid": pid}
            else:
                patience_s = 0 if request["kill"] else leave_s
                answer = {"status": _reap(request["reap"], workers, patience_s=patience_s)}
            connection.sendall(json.dumps(answer).encode() + b"\n")
    except OSError:  # the parent is gone in the middle of a message
        pass
    finally:
        for pid in list(workers):
            _reap(pid, workers, patience_s=0)
        os._exit(0)  # only torch would be tidied up, slowly


def _requests(connection: socket.socket) -> Iterator[tuple[dict[str, Any], list[int]]]:
    """Yield the requests of the parent, with the received file descriptors that are not used yet."""
    buffered = b""
    descriptors: list[int] = []
    while True:
        data, new, _, _ = socket.recv_fds(connection, 65536, 8)
        if not data:
            return
        buffered += data
        descriptors += new
        while b"\n" in buffered:
            line, buffered = buffered.split(b"\n", 1)
            yield json.loads(line), descriptors


def _fork(target: str, talk: int, log: int, connection: socket.socket) -> int:
    server = os.getpid()
    pid = os.fork()
    if pid:
        os.close(talk)
        os.close(log)
        return pid
    status = 1
    try:
        os.setpgid(0, 0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:  # it died before the line above
            os._exit(1)
        connection.close()
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        with contextlib.suppress(OSError):  # if memory runs out, take the worker and not its parent
            pathlib.Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")
        module, _, function = target.partition(":")
        run: Callable[[socket.socket], None] = getattr(importlib.import_module(module), function)
        run(socket.socket(fileno=talk))
        status = 0
    except BaseException:  # noqa: BLE001 - the last words of the process, read by the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _reap(pid: int, workers: set[int], *, patience_s: float) -> int | None:
    """Wait for the end of a worker, kill it after `patience_s`, and return its status; None if it does not exist."""
    if pid not in workers:
        return None
    if not _ends(pid, patience_s):
        _kill_group(pid)  # it was to end at once, or closed its socket and then hung
    if hasattr(os, "waitid"):  # while it is a zombie its number cannot become another process's
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        _kill_group(pid)  # children that it left in its group
    _, status = os.waitpid(pid, 0)
    workers.discard(pid)
    _kill_orphans(workers)
    return os.waitstatus_to_exitcode(status)


def _ends(pid: int, patience_s: float) -> bool:
    """Wait, at most for `patience_s`, until the process is a zombie."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


def _kill_group(pid: int) -> None:
    for kill in (os.kill, os.killpg):  # the group may not exist yet
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _kill_orphans(workers: set[int]) -> None:
    """Kill the processes that this subreaper adopted when their parents died, and their descendants."""
    me = psutil.Process()
    while orphans := [child for child in me.children() if child.pid not in workers]:
        for orphan in orphans:
            for process in (*orphan.children(recursive=True), orphan):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan.pid, 0)
        time.sleep(0)


def _prctl(option: int, value: int) -> None:
    """Call Linux's prctl(2); elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
