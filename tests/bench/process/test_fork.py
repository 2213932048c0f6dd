"""The server's half alone, without torch: a process that is asked over a socket, as `bench.process.forkserver` does."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

import psutil
import pytest

from bench.process.fork import _requests

HERE = "tests.bench.faulty"
LEAVE_S = 60.0
"""Longer than any worker takes to end on a busy machine."""
SERVE = (
    "import json, sys; sys.path[:0] = json.loads(sys.argv[2]); from bench.process.fork import serve_forks; "
    "serve_forks(int(sys.argv[1]), ['json', 'no_such_module', *sys.argv[4:]], float(sys.argv[3]))"
)


class Server:
    """A server that preloads a module of Python's, another that does not exist, and `preload`."""

    def __init__(self, *preload, leave_s=LEAVE_S, path=()):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        self.lines = self.socket.makefile("rb")
        arguments = [str(theirs.fileno()), json.dumps([*sys.path, *path]), str(leave_s), *preload]
        with theirs:
            self.process = subprocess.Popen([sys.executable, "-c", SERVE, *arguments], pass_fds=(theirs.fileno(),))

    def ask(self, question, *descriptors):
        socket.send_fds(self.socket, [json.dumps(question).encode() + b"\n"], descriptors)
        return json.loads(self.lines.readline())

    def spawn(self, target):
        """Return the number of a worker, and its socket; its output goes into `log`."""
        ours, theirs = socket.socketpair()
        ours.settimeout(60)
        with theirs, tempfile.TemporaryFile() as log:
            pid = self.ask({"spawn": f"{HERE}:{target}"}, theirs.fileno(), log.fileno())["pid"]
        return pid, ours

    def reap(self, pid, *, kill=False):
        return self.ask({"reap": pid, "kill": kill})["status"]

    def close(self):
        self.lines.close()
        self.socket.close()
        return self.process.wait(timeout=30)


@pytest.fixture
def server():
    server = Server()
    with contextlib.closing(server):
        yield server


def test_requests_are_lines_however_they_arrive():
    ours, theirs = socket.socketpair()
    with theirs:
        for part in (b'{"spa', b'wn": "a"}\n{"reap": 1}', b"\n", b'{"half'):
            ours.sendall(part)
        ours.close()
        assert [request for request, _ in _requests(theirs)] == [{"spawn": "a"}, {"reap": 1}]


def test_descriptors_come_with_their_request():
    ours, theirs = socket.socketpair()
    with theirs, tempfile.TemporaryFile() as log:
        socket.send_fds(ours, [b'{"spawn": "a"}\n'], [log.fileno()])
        ours.close()
        ((request, descriptors),) = _requests(theirs)
        assert request == {"spawn": "a"}
        (descriptor,) = descriptors
        assert os.fstat(descriptor).st_ino == os.fstat(log.fileno()).st_ino
        os.close(descriptor)


@pytest.mark.parametrize(
    ("target", "status"), [("leave", 0), ("raise_early", 1), ("does_not_exist", 1), ("segfault", -signal.SIGSEGV)]
)
def test_the_status_of_a_worker_is_how_it_ended(server, target, status):
    pid, connection = server.spawn(target)
    with connection:
        connection.sendall(b"{}\n")
        assert server.reap(pid) == status
    assert not psutil.pid_exists(pid)


def test_a_worker_that_does_not_end_in_time_is_killed():
    server = Server(leave_s=0.1)
    with contextlib.closing(server):
        pid, connection = server.spawn("hang")
        with connection:
            assert server.reap(pid) == -signal.SIGKILL
        assert not psutil.pid_exists(pid)


def test_a_worker_is_killed_at_once_where_that_is_asked(server):
    pid, connection = server.spawn("hang")
    with connection:
        assert server.reap(pid, kill=True) == -signal.SIGKILL


def test_a_process_that_is_no_worker_is_left_alone(server):
    assert server.reap(os.getpid(), kill=True) is None
    pid, connection = server.spawn("leave")
    connection.close()
    assert server.reap(pid, kill=True) is not None
    assert server.reap(pid, kill=True) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has affinity")
def test_what_an_import_binds_and_sets_is_not_taken_for_the_users(tmp_path):
    tmp_path.joinpath("binding.py").write_text(
        "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nos.environ['SET_BY_AN_IMPORT'] = '1'\n"
    )
    with contextlib.closing(Server("binding", path=[str(tmp_path)])) as server:
        _, connection = server.spawn("cores")
        with connection:
            connection.sendall(b"{}\n")
            answer = json.loads(connection.makefile("rb").readline())
    cores = sorted(os.sched_getaffinity(0))
    assert (answer["given"], answer["bound"]) == (cores, cores[:1])
    assert "SET_BY_AN_IMPORT" not in answer["set"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_what_a_worker_left_behind_is_killed_and_the_other_workers_are_not(server):
    other, connection_of_other = server.spawn("hang")
    pid, connection = server.spawn("have_children")
    with connection_of_other, connection:
        connection.sendall(b"{}\n")
        child = json.loads(connection.makefile("rb").readline())["child"]
        assert psutil.Process(child).status() != psutil.STATUS_ZOMBIE
        server.reap(pid, kill=True)
        assert not psutil.pid_exists(child)
        assert psutil.Process(other).status() != psutil.STATUS_ZOMBIE


def test_a_worker_is_a_child_of_the_server_in_a_group_of_its_own(server):
    pid, connection = server.spawn("have_children")
    with connection:
        connection.sendall(b"{}\n")
        assert connection.makefile("rb").readline()  # it has begun
        assert psutil.Process(pid).ppid() == server.process.pid
        assert os.getpgid(pid) == pid
    server.reap(pid, kill=True)


def test_when_the_parent_is_gone_the_server_and_its_workers_end():
    server = Server()
    pid, connection = server.spawn("hang")
    with connection:
        assert server.close() == 0
    assert not psutil.pid_exists(pid)
