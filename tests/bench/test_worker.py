import dataclasses
import json
import socket
import threading

import pytest
import torch

from bench import worker
from bench.device import Unsupported
from results.schema import Ran, from_json


@pytest.fixture
def ask():
    """Serve a worker in a thread of this process and ask it."""
    ours, theirs = socket.socketpair()
    threads = torch.get_num_threads()
    thread = threading.Thread(target=worker.serve, args=(theirs,))
    thread.start()
    lines = ours.makefile("rb")

    def ask(do, **arguments):
        ours.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
        return json.loads(lines.readline())

    yield ask
    lines.close()
    ours.close()
    thread.join(timeout=30)
    assert not thread.is_alive()
    torch.set_num_threads(threads)


@pytest.fixture
def tiny(make_case):
    def tiny(**axes):
        case = {"model": "cifar_resnet20", "batch_size": 2, "image_size": 32, "threads": 1, **axes}
        return dataclasses.asdict(make_case(**case))

    return tiny


def test_a_case_from_its_first_step_to_its_end(ask, tiny, tmp_path):
    ready = ask("prepare", case=tiny(task="training"), cache=str(tmp_path))
    assert ready["first_step_s"] > 0
    assert ready["phases"] == ["forward", "backward", "optimizer"]
    turn = ask("turn", steps=3, drop=1)
    assert [len(step) for step in turn["phase_s"]] == [3, 3, 3]
    assert sum(map(sum, turn["phase_s"])) <= turn["wall_s"] * 3
    taken = ask("footprint")
    assert taken["host_bytes"] > 0
    assert taken["device_bytes"] is None
    end = ask("finish")
    assert from_json(Ran, end["ran"]).compute_dtypes == ("float32",)
    assert end["facts"]["peak_resident_bytes"] >= 0
    assert end["nulls"]["graph_breaks"] == "nothing is compiled"


def test_what_goes_wrong_is_an_answer_and_the_worker_lives_on(ask, tiny, tmp_path):
    assert ask("prepare", case=tiny(precision="tf32"), cache=str(tmp_path))["failed"] == "unsupported"
    assert ask("turn", steps=1, drop=0)["failed"] == "error"
    assert ask("static", model="resnt18", image_size=224)["failed"] == "error"
    assert "first_step_s" in ask("prepare", case=tiny(), cache=str(tmp_path))


def test_static_and_description_are_counted_in_a_worker(ask):
    assert ask("static", model="cifar_resnet20", image_size=32)["static"]["parameters"] > 250_000
    description = ask("describe", device="cpu")
    assert description["device"] == "cpu"
    assert description["environment"]["torch"] == torch.__version__
    assert "no device 'cuda:99'" in ask("describe", device="cuda:99")["cause"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "out-of-memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "out-of-memory"),
        (MemoryError(), "out-of-memory"),
        (Unsupported("no"), "unsupported"),
        (NotImplementedError("no kernel"), "unsupported"),
        (RuntimeError("\"slow_conv2d_cpu\" not implemented for 'Half'"), "unsupported"),
        (RuntimeError("InvalidCxxCompiler: No working C++ compiler found"), "unsupported"),
        (ValueError("bad"), "error"),
    ],
)
def test_errors_have_their_status(error, status):
    assert worker.classify(error) == status
