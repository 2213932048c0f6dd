"""A process that has imported torch and forks fresh workers from it in hundredths of a second.

The server does nothing else: it starts no thread, touches no accelerator and runs no model, so that each worker begins
as clean as a new interpreter. Parent and server speak over one socket, parent and each worker over another of its
own; a worker's standard output and error go to a file from which a crash's last words are read.

Nobody survives: the server dies when the parent's socket closes, however the parent ended; workers die with the
server; and what a worker leaves behind (a compiler, say) is adopted by the server, which is its subreaper, and killed
when the worker ends. Linux does all of that; where the kernel has no subreaper, a worker's process group is killed.
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
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from typing import IO, Any, Final, Self

import psutil

PRELOAD: Final[tuple[str, ...]] = (
    "torch",
    "torchvision.models",
    "fvcore.nn",
    "bench.worker.serve",
    "bench.costs.static",
    "resnet.model",
)
"""What workers would import first: each import starts no thread and touches no device (tested). What an interpreter
lacks is left out: a worker that needs it says so."""
SERVE: Final = "bench.worker.serve:serve"
"""What a worker usually runs."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
OURS: Final = ("bench", "resnet", "results", "reports")
"""All that another interpreter takes from here: its other packages must be its own, built for it."""
NEEDED: Final = ("torch", "torchvision", "numpy", "psutil", "msgspec")
"""What another interpreter must have itself."""
_START: Final = """\
import json, sys
before, root, ours, needed = json.loads(sys.argv[1])
sys.path[:0] = before
if root is not None:
    from importlib.machinery import PathFinder
    from importlib.util import find_spec
    if missing := [name for name in needed if find_spec(name) is None]:
        sys.exit("it lacks the packages " + ", ".join(missing) + "; install them there")
    class Ours:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return PathFinder.find_spec(name, [root]) if name in ours else None
    sys.meta_path.append(Ours)
from bench.process.forkserver import serve; serve(int(sys.argv[2]))
"""
_ROOT: Final = str(pathlib.Path(__file__).resolve().parents[2])
MAX_ANSWER_BYTES: Final = 64 * 2**20
"""A longer line is no answer: the cost of the largest model, layer by layer, takes some hundred kilobytes."""
_LAST_WORDS: Final = 400
_LEAVE_S: Final = 10.0
"""How long a process may take to end after its last word: a core dump is written meanwhile."""


class WorkerDied(Exception):  # noqa: N818 - something that happens to workers and is recorded
    """The worker ended, or had to be ended, without an answer."""

    def __init__(self, cause: str, *, hung: bool = False, signal_number: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hung = hung
        self.signal_number = signal_number


class ServerLost(Exception):  # noqa: N818 - likewise
    """The fork server does not answer, so no worker can be had; the message says why."""


# ------------------------------------------------------------------------------------------------ the parent's side


class Worker:
    """A forked process, spoken to in JSON lines over its own socket."""

    def __init__(self, server: "ForkServer", pid: int, connection: socket.socket, log: IO[bytes]) -> None:
        self.pid = pid
        self._server = server
        self._connection = connection
        self._unread = bytearray()
        self._log = log

    def request(self, message: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """Send a message and block until the answer is there.

        Raises:
            WorkerDied: the worker ended, said something that is no answer, or had not answered after `timeout_s` and
                has been killed.
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

    def close(self) -> None:
        """End the worker and all that it started. Safe to call twice."""
        self._connection.close()
        self._server.reap(self.pid, kill=True)
        self._log.close()

    def _line(self, deadline: float) -> bytes:
        """Return a line, or what there was of it when the worker ended or it became too long for an answer.

        The deadline is that of the whole line: a worker that sends a byte now and then hangs all the same.
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
            return WorkerDied(f"the fork server is gone{words}")
        if status < 0:
            names = {number.value: number.name for number in signal.Signals}  # real-time signals have none
            name = names.get(-status, f"signal {-status}")
            return WorkerDied(f"killed by {name}{words}", signal_number=-status)
        return WorkerDied(f"it exited with status {status} and no answer{words}")


def _last_words(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _LAST_WORDS))
    lines = log.read().decode(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f"; its last words: {said[-1]}" if said else ""


class ForkServer:
    """The parent's handle on the server. A context manager: leaving it ends every worker."""

    def __init__(
        self,
        python: str | pathlib.Path | None = None,
        *,
        checkout: str | pathlib.Path | None = None,
        patience_s: float = 120.0,
    ) -> None:
        """Start the server; it imports torch while the caller goes on.

        Args:
            python: the interpreter of its workers, None for this one with this one's import path. Another one takes
                our modules from its own environment if it has them, else from here; all else must be its own.
            checkout: a folder whose modules come before all others: another checkout of this project.
            patience_s: seconds without an answer after which the server counts as lost.

        Raises:
            ServerLost: there is no such interpreter.
        """
        ours, theirs = socket.socketpair()
        first = [] if checkout is None else [str(pathlib.Path(checkout).resolve())]
        path = (first + sys.path, None) if python is None else (first, _ROOT)
        self._patience_s = patience_s
        self._turn = threading.Lock()  # a question and its answer belong together, whichever thread asks
        self._connection = ours
        self._lines = ours.makefile("rb")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        # -P: the current folder must not come before what an interpreter has of its own.
        command = [
            str(python or sys.executable),
            "-P",
            "-c",
            _START,
            json.dumps((*path, OURS, NEEDED)),
            str(theirs.fileno()),
        ]
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
        """Process id of the server, whose descendants are all that it started."""
        return self._process.pid

    def spawn(self, target: str = SERVE) -> Worker:
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
        return Worker(self, pid, ours, log)

    def reap(self, pid: int, *, kill: bool) -> int | None:
        """Wait for a worker's end, killing it first if asked; clear away what it left behind.

        Returns its exit status, negative for a signal; None where it had been reaped before or the server is gone,
        and all its workers with it.
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
        """Ask the server one thing. A question whose answer was not waited for breaks the connection for good."""
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


# ------------------------------------------------------------------------------------------------ the server's side


def serve(file_number: int) -> None:
    """Be the fork server on the socket of that number, until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    connection = socket.socket(fileno=file_number)
    with warnings.catch_warnings(action="ignore"):  # of one library about another: nothing a user can act on
        for module in PRELOAD:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
    gc.collect()
    gc.freeze()  # else each worker walks all that was imported, and copies its pages: 0.3 s at its first collection
    workers: set[int] = set()
    buffered, descriptors = b"", []
    try:
        while True:
            data, new, _, _ = socket.recv_fds(connection, 65536, 8)
            if not data:
                break
            buffered += data
            descriptors += new
            while b"\n" in buffered:
                line, buffered = buffered.split(b"\n", 1)
                request = json.loads(line)
                if "spawn" in request:
                    talk, log = descriptors.pop(0), descriptors.pop(0)
                    pid = _fork(request["spawn"], talk, log, connection)
                    workers.add(pid)
                    answer: dict[str, Any] = {"pid": pid}
                else:
                    answer = {"status": _reap(request["reap"], workers, kill=request["kill"])}
                connection.sendall(json.dumps(answer).encode() + b"\n")
    except OSError:  # the parent is gone in the middle of a word
        pass
    finally:
        for pid in list(workers):
            _reap(pid, workers, kill=True)
        os._exit(0)  # there is nothing to tidy up but torch, which takes its time


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
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _reap(pid: int, workers: set[int], *, kill: bool) -> int | None:
    if pid not in workers:
        return None
    if kill:
        _kill_group(pid)
    elif not _ends(pid, _LEAVE_S):
        _kill_group(pid)  # it closed its socket, and then hung
    if hasattr(os, "waitid"):  # while it is a zombie its number cannot become somebody else's
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        _kill_group(pid)  # children that it left in its group
    _, status = os.waitpid(pid, 0)
    workers.discard(pid)
    _kill_orphans(workers)
    return os.waitstatus_to_exitcode(status)


def _ends(pid: int, patience_s: float) -> bool:
    """Wait, at most so long, until the process is a zombie."""
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
    """Kill the processes that came to this subreaper when their parents died, and their descendants."""
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
