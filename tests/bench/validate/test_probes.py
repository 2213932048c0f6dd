import hashlib
import json
import os
import subprocess
import sys
import threading

import pytest
import torch

from bench.validate import probes
from bench.validate.probes import float32_formats, threads_of, working_threads

LOOK = """
import json
from bench.machine.cpu import remember_cores
remember_cores()
import torch
from bench.validate.probes import working_threads
torch.set_num_threads(2)
print(json.dumps([torch.get_num_threads(), working_threads()]))
"""
needs_two_cores = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs two cores of Linux"
)


def looked(**variables):
    done = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, check=True, text=True, env={**os.environ, **variables}
    )
    return json.loads(done.stdout)


@needs_two_cores
def test_threads_that_openmp_does_not_start_are_missed_though_torch_claims_them():
    assert looked(OMP_THREAD_LIMIT="1") == [2, 1]


@needs_two_cores
def test_threads_on_the_same_core_count_once():
    assert looked(GOMP_CPU_AFFINITY=str(min(os.sched_getaffinity(0)))) == [2, 1]


@needs_two_cores
def test_all_threads_work_where_nothing_stops_them():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    assert working_threads() == 2
    torch.set_num_threads(before)


def test_a_single_thread_needs_no_probe(monkeypatch):
    monkeypatch.setattr(probes, "_cpu_seconds", lambda: 1 / 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert working_threads() == 1


def test_threads_whose_time_is_not_counted_are_believed(monkeypatch):
    monkeypatch.setattr(probes, "_cpu_seconds", lambda: {1: 0.0, 2: 0.0})
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert working_threads() == 3


def rounded(operator, dtype):
    return lambda numbers, *others, **options: operator(numbers.to(dtype).float(), *others, **options)


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_operators_that_drop_bits_are_seen(monkeypatch, name):
    seen = {"bfloat16": "bfloat16", "float16": "tf32"}[name]  # which have the same number of bits
    assert float32_formats("cpu") == ("float32", "float32")
    with monkeypatch.context() as patch:
        patch.setattr(torch, "conv2d", rounded(torch.conv2d, getattr(torch, name)))
        assert float32_formats("cpu") == ("float32", seen)
    linear = torch.nn.functional.linear
    monkeypatch.setattr(torch.nn.functional, "linear", rounded(linear, getattr(torch, name)))
    assert float32_formats("cpu") == (seen, "float32")


def test_an_engine_of_one_thread_has_one():
    assert threads_of(lambda: sum(range(2_000))) == 1


def test_a_thread_that_works_for_an_engine_counts():
    go, done = threading.Semaphore(0), threading.Semaphore(0)

    def work():
        while go.acquire():
            hashlib.sha256(b"x" * 4_000_000).digest()  # it lets other threads run
            done.release()

    threading.Thread(target=work, daemon=True).start()

    def run():
        go.release()
        hashlib.sha256(b"x" * 4_000_000).digest()
        done.acquire()

    assert threads_of(run) == 2
