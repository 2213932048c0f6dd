import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from bench.process.forkserver import ForkServer, ServerLost, WorkerDied

HERE = "tests.bench.faulty"


def gone(pid, patience_s=10):
    """Whether the process ends, sooner or later, or is a zombie that waits to be collected."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def server():
    with ForkServer() as server:
        yield server


def test_the_server_has_imported_and_done_nothing_else(server):
    worker = server.spawn(f"{HERE}:echo")
    answer = worker.request({}, timeout_s=30)
    assert psutil.Process(server._process.pid).num_threads() == 1
    assert answer["has_torch"]
    assert not answer["accelerator_initialised"]
    assert not answer["bad_fork"]
    worker.close()


def test_a_server_that_has_asked_for_a_gpu_is_noticed_without_one_too(tmp_path, monkeypatch):
    """The question is enough to make CUDA useless in workers, though it initialises nothing."""
    if pytest.importorskip("torch").version.cuda is None:
        pytest.skip("this torch was built without CUDA")
    (tmp_path / "curious.py").write_text("import torch\ntorch.cuda.is_available()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with ForkServer(preload=["curious"]) as server:
        worker = server.spawn(f"{HERE}:echo")
        answer = worker.request({}, timeout_s=60)
        worker.close()
    assert answer["bad_fork"]
    assert not answer["accelerator_initialised"]


def test_each_worker_is_a_fresh_process_of_one_thread(server):
    first, second = server.spawn(f"{HERE}:echo"), server.spawn(f"{HERE}:echo")
    answers = [worker.request({"n": 1}, timeout_s=30) for worker in (first, second)]
    assert answers[0]["pid"] != answers[1]["pid"]
    assert all(answer["echo"] == {"n": 1} and answer["threads"] == 1 for answer in answers)
    first.close()
    second.close()
    first.close()  # twice is as good as once
    assert all(gone(answer["pid"]) for answer in answers)


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        ("segfault", "killed by SIGSEGV"),
        ("leave", "exited with status 0 and no answer; its last words: I am leaving"),
        ("babble", "no answer"),
        ("raise_early", "exited with status 1 and no answer; its last words: RuntimeError: boom"),
        ("does_not_exist", "AttributeError"),
    ],
)
def test_a_worker_without_an_answer_is_named_with_its_cause(server, target, cause):
    worker = server.spawn(f"{HERE}:{target}")
    with pytest.raises(WorkerDied, match=cause) as caught:
        worker.request({}, timeout_s=30)
    assert not caught.value.hung
    worker.close()
    assert gone(worker.pid)


def test_a_silent_worker_is_killed(server):
    worker = server.spawn(f"{HERE}:hang")
    with pytest.raises(WorkerDied, match=r"no answer within 0\.2 s; it was killed") as caught:
        worker.request({}, timeout_s=0.2)
    assert caught.value.hung
    assert gone(worker.pid)
    worker.close()


def test_the_server_outlives_its_workers(server):
    worker = server.spawn(f"{HERE}:segfault")
    with pytest.raises(WorkerDied):
        worker.request({}, timeout_s=30)
    worker.close()
    again = server.spawn(f"{HERE}:echo")
    assert again.request({}, timeout_s=30)["echo"] == {}
    again.close()


def test_a_lost_server_is_named_and_asking_again_does_not_hang():
    with ForkServer() as server:
        worker = server.spawn(f"{HERE}:echo")
        server._process.kill()
        for _ in range(2):
            with pytest.raises(ServerLost, match="was lost"):
                server.spawn(f"{HERE}:echo")
        with pytest.raises(ServerLost, match="was lost"):
            worker.request({}, timeout_s=30)
        worker.close()
        assert gone(worker.pid)


def test_an_interrupted_question_breaks_the_connection_and_ends_everyone(monkeypatch):
    with ForkServer() as server:
        worker = server.spawn(f"{HERE}:hang")

        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(json, "loads", interrupt)
        with pytest.raises(KeyboardInterrupt):
            server.spawn(f"{HERE}:echo")
        monkeypatch.undo()
        worker.close()  # says nothing more: there is nobody to ask
        assert gone(worker.pid)
        with pytest.raises(ServerLost):
            server.spawn(f"{HERE}:echo")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_what_a_worker_started_ends_with_it(server):
    worker = server.spawn(f"{HERE}:have_children")
    child = worker.request({}, timeout_s=30)["child"]
    assert psutil.pid_exists(child)
    worker.close()
    assert gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends orphans by itself")
@pytest.mark.parametrize("victim", ["parent", "server"])
def test_nobody_survives_a_killed_parent_or_server(victim):
    code = f"""
        import json, os, time
        from bench.process.forkserver import ForkServer
        server = ForkServer()
        pids = [server._process.pid, server.spawn("{HERE}:hang").pid]
        worker = server.spawn("{HERE}:have_children")
        pids += [worker.pid, worker.request({{}}, timeout_s=30)["child"]]
        print(json.dumps(pids), flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    with parent:
        pids = eval(parent.stdout.readline())  # noqa: S307 - a list of numbers that the lines above printed
        try:
            if victim == "parent":
                parent.kill()
                expected = pids
            else:
                os.kill(pids[0], signal.SIGKILL)
                expected = pids[:3]  # nobody is left to know of the worker's own child
            assert all(gone(pid) for pid in expected)
        finally:
            parent.kill()
            for pid in pids:
                if psutil.pid_exists(pid):
                    os.kill(pid, signal.SIGKILL)


def test_threads_may_ask_at_the_same_time(server):
    def one(number):
        worker = server.spawn(f"{HERE}:echo")
        answers = [worker.request({"n": number}, timeout_s=30)["echo"]["n"] for _ in range(3)]
        worker.close()
        return answers

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert list(pool.map(one, range(24))) == [[number] * 3 for number in range(24)]
