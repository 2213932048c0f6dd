import multiprocessing
import pathlib

import psutil
import pytest

from bench import memory


def _grow(queue, size):
    start = memory.resident_now()
    block = bytearray(size)
    del block
    queue.put((start, memory.resident_peak()))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_peak_is_that_of_the_process_and_stays_when_memory_is_given_back():
    parents_own = bytearray(200_000_000)
    del parents_own  # a peak of the parent, which the child must not inherit
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_grow, args=(queue, 64_000_000))
    child.start()
    start, peak = queue.get()
    child.join()
    assert 60_000_000 < peak - start < 120_000_000


def test_what_is_available_is_bounded_by_the_control_group(tmp_path, monkeypatch):
    for name, text in {
        "memory.max": "1000000000\n",
        "memory.current": "900000000\n",
        "memory.stat": "anon 5\ninactive_file 300000000\n",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.available() == 400_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available() > 0
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "none")
    assert memory.available() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_kernel_kills_are_counted_or_unknown(tmp_path, monkeypatch):
    vmstat = tmp_path / "vmstat"
    monkeypatch.setattr(memory, "_VMSTAT", vmstat)
    assert memory.kernel_oom_kills() is None
    vmstat.write_text("nr_free_pages 12\noom_kill 3\n")
    assert memory.kernel_oom_kills() == 3


def test_without_proc_the_peak_comes_from_the_resource_counter(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_STATUS", pathlib.Path(tmp_path / "none"))
    assert memory.resident_peak() >= memory.resident_now() * 0.5
