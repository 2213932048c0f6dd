"""The parent's half of the fork server, a process with torch that forks fresh workers in hundredths of a second.

The parent has a socket to the server, and a socket to every worker; a worker's standard output and error go to a file,
whose last lines explain a crash. The server's half is `bench.process.fork`.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import IO, Any, Final, Self

from bench.rooms import ROOMS, ROOMS_FOLDER

PRELOAD: Final[tuple[str, ...]] = (
    "torch",
    "torchvision.models",
    "fvcore.nn",
    "bench.worker.serve",
    "bench.costs.static",
    "resnet.model",
)
"""Modules that workers import: no import starts a thread or opens a device (tested). Modules that an interpreter lacks
are left out: a worker that needs them reports it."""
SERVE: Final = "bench.worker.serve:serve"
"""The function that a worker runs by default."""
NEEDED: Final = ("torch", "torchvision", "numpy", "psutil", "msgspec")
"""Packages that another interpreter must have installed."""
LEAVE_S: Final = 10.0
"""Seconds in which a process must end after its last answer; a core dump takes some of them."""
MAX_ANSWER_BYTES: Final = 64 * 2**20
"""The most bytes of an answer: the cost of the largest model, layer by layer, takes some hundred kilobytes."""

_START: Final = """\
import json, sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
given = json.loads(sys.argv[1])
sys.path[:0] = given["path"]
if missing := [name for name in given["needed"] if find_spec(name) is None]:
    sys.exit("it lacks the packages " + ", ".join(missing) + "; install them there")
class Rooms:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [given["root"]]) if name in given["rooms"] else None
sys.meta_path.insert(0 if given["first"] else len(sys.meta_path), Rooms)
from bench.process.fork import serve_forks; serve_forks(int(sys.argv[2]), given["preload"], given["leave_s"])
"""
"""Program that starts the server. Only our packages are imported from `root`: before all other folders, so that no
folder of a user with the same name is imported, or after the packages that another interpreter has installed."""
_LAST_WORDS: Final = 400


class WorkerDied(Exception):  # noqa: N818 - something that happens to workers and is recorded
    """The worker ended, or was killed, without an answer."""

    def __init__(self, cause: str, *, hung: bool = False, signal_number: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hung = hung
        self.signal_number = signal_number


class ServerLost(Exception):  # noqa: N818 - likewise
    """The fork server does not answer, so no worker lives or can start; the message says why."""


class WorkerProcess:
    """A forked process that answers JSON lines over its own socket."""

    def __init__(self, server: "ForkServer", pid: int, connection: socket.socket, log: IO[bytes]) -> None:
        self.pid = pid
        self._server = server
        self._connection = connection
        self._unread = bytearray()
        self._log = log

    def request(self, message: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """Send a message and wait for the answer.

        Raises:
            WorkerDied: the worker ended, sent an invalid answer, or was killed after `timeout_s` without an answer.
            ServerLost: the worker ended with its server.
        """
        deadline = time.monotonic() + timeout_s
        try:
            self._connection.settimeout(timeout_s)
            self._connection.sendall(json.dumps(message).encode() + b"\n")
            line = self._line(deadline)
        except TimeoutError:
            self._server.reap(self.pid, kill=True)
            raise WorkerDied(f"no answer within {timeout_s:g} s; it was killed", hung=True) from None
        except OSError:
            line = b""
        if not line.endswith(b"\n") and len(line) <= MAX_ANSWER_BYTES:
            raise self._post_mortem()
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            self.close()
            raise WorkerDied("it sent something that is no answer")
        return answer

    def kill(self) -> None:
        """Kill the worker and all its descendants; any thread may call it while another thread waits for an answer."""
        self._server.reap(self.pid, kill=True)

    def close(self) -> None:
        """End the worker and all its descendants. Safe to call twice."""
        self._connection.close()
        self._server.reap(self.pid, kill=True)
        self._log.close()

    def _line(self, deadline: float) -> bytes:
        """Return a line, or its beginning where the worker ended or the line is too long for an answer.

        The deadline holds for the whole line: a worker that sends a byte now and then is hung too.
        """
        end = self._unread.find(b"\n")
        while end < 0 and len(self._unread) <= MAX_ANSWER_BYTES:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            data = self._connection.recv(1 << 16)
            if not data:
                break
            if b"\n" in data:
                end = len(self._unread) + data.index(b"\n")
            self._unread += data
        line = bytes(self._unread[: end + 1] if end >= 0 else self._unread)
        del self._unread[: len(line)]
        return line

    def _post_mortem(self) -> WorkerDied:
        status = self._server.reap(self.pid, kill=False)
        words = _last_words(self._log)
        if status is None:
            raise ServerLost(f"the process that starts workers was lost, and its workers with it{words}")
        if status < 0:
            names = {number.value: number.name for number in signal.Signals}  # real-time signals have none
            name = names.get(-status, f"signal {-status}")
            return WorkerDied(f"killed by {name}{words}", signal_number=-status)
        return WorkerDied(f"it exited with status {status} and no answer{words}")


def _start(python: str | pathlib.Path | None, checkout: str | pathlib.Path | None) -> dict[str, Any]:
    """Return the arguments of `_START`: the interpreter, and the folder of our packages."""
    before = [] if checkout is None else [str(pathlib.Path(checkout).resolve())]
    if python is not None:
        return {"path": before, "root": str(ROOMS_FOLDER), "first": False, "rooms": ROOMS, "needed": NEEDED}
    root = (before or [str(ROOMS_FOLDER)])[0]
    return {"path": before + sys.path, "root": root, "first": True, "rooms": ROOMS, "needed": []}


def _last_words(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _LAST_WORDS))
    lines = log.read().decode(errors="replace").split("\n")
    words = [line.strip() for line in lines if line.strip()]
    return f"; its last words: {words[-1]}" if words else ""


class ForkServer:
    """The parent's handle of the server, a context manager whose end is the end of every worker."""

    def __init__(
        self,
        python: str | pathlib.Path | None = None,
        *,
        checkout: str | pathlib.Path | None = None,
        patience_s: float = 120.0,
        preload: Sequence[str] = PRELOAD,
        leave_s: float = LEAVE_S,
    ) -> None:
        """Start the server, which imports torch while the caller continues.

        Args:
            python: the interpreter of its workers, None for the current interpreter and its import path. Another
                interpreter imports our modules from its own environment if installed there, else from here; all other
                packages must be installed there.
            checkout: a folder whose modules come before all others: another checkout of this project.
            patience_s: seconds without an answer after which the server counts as lost.
            preload: modules to import before the first fork.
            leave_s: seconds in which a worker must end after its last answer.

        Raises:
            ServerLost: there is no such interpreter.
        """
        ours, theirs = socket.socketpair()
        self._patience_s = patience_s
        self._turn = threading.Lock()  # no other thread may come between a question and its answer
        self._connection = ours
        self._lines = ours.makefile("rb")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        given = _start(python, checkout) | {"preload": list(preload), "leave_s": leave_s}
        # -P: the current folder must not come before the interpreter's own packages.
        command = [str(python or sys.executable), "-P", "-c", _START, json.dumps(given), str(theirs.fileno())]
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
        except OSError as error:
            for mine in (self._lines, self._connection, self._log):
                mine.close()
            raise ServerLost(f"cannot run {python}: {error.strerror}") from None
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Process id of the server; all workers are its descendants."""
        return self._process.pid

    def spawn(self, target: str = SERVE) -> WorkerProcess:
        """Fork a worker that runs `target`, a ``module:function`` that takes the worker's socket.

        Raises:
            ServerLost: the server does not answer.
        """
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with its worker
        try:
            pid = self._ask({"spawn": target}, theirs.fileno(), log.fileno())["pid"]
        except BaseException:
            ours.close()
            log.close()
            raise
        finally:
            theirs.close()
        return WorkerProcess(self, pid, ours, log)

    def reap(self, pid: int, *, kill: bool) -> int | None:
        """Wait for a worker's end, killing it first if asked, and kill its remaining processes.

        Returns its exit status, negative for a signal; None where it was reaped before, or where the server, and with
        it every worker, is gone.
        """
        try:
            status = self._ask({"reap": pid, "kill": kill})["status"]
        except ServerLost:
            return None
        return None if status is None else int(status)

    def close(self) -> None:
        """End the server and with it every worker. Safe to call twice."""
        self._lines.close()
        self._connection.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, question: dict[str, Any], *descriptors: int) -> dict[str, Any]:
        """Ask the server a question. An interrupt before the answer breaks the connection for good."""
        with self._turn:
            try:
                self._connection.settimeout(self._patience_s)
                socket.send_fds(self._connection, [json.dumps(question).encode() + b"\n"], descriptors)
                line = self._lines.readline()
                answer: dict[str, Any] = json.loads(line)
            except BaseException as error:
                with contextlib.suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)  # it ends, and every worker with it
                if isinstance(error, (OSError, ValueError)):
                    raise ServerLost(f"the process that starts workers was lost ({self._why(error)})") from error
                raise
        return answer

    def _why(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return f"silent for {self._patience_s:g} s"
        with contextlib.suppress(subprocess.TimeoutExpired):  # whoever has closed a socket is about to end
            return f"ended with status {self._process.wait(timeout=10)}{_last_words(self._log)}"
        return "it closed its socket"
