import subprocess
import sys
import types

import pytest

from bench.machine import memory
from bench.machine.cgroup import cgroup_folders

GROWING = """
import os
from bench.machine import memory
parents_own = b"x" * 200_000_000  # a peak of the parent, which the child must not inherit
del parents_own
if os.fork() == 0:
    start = memory.resident_now()
    block = b"x" * 64_000_000
    del block
    print(memory.resident_peak() - start, flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS keeps no peak of a forked process alone")
def test_the_peak_is_that_of_the_process_and_stays_when_memory_is_given_back():
    done = subprocess.run([sys.executable, "-c", GROWING], check=True, capture_output=True, text=True, timeout=60)
    assert 60_000_000 < int(done.stdout) < 120_000_000


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Let control groups with these files be this process's, on a machine with 4 GB left; gives their folder."""
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: types.SimpleNamespace(available=4_000_000_000))

    def write(membership, **folders):
        monkeypatch.setattr(memory, "cgroup_folders", lambda: cgroup_folders(membership, tmp_path))
        for folder, files in folders.items():
            (tmp_path / folder.replace("__", "/")).mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (tmp_path / folder.replace("__", "/") / f"memory.{name}").write_text(f"{text}\n")

    return write


def v2(limit, used, droppable=0):
    return {"max": limit, "current": used, "stat": f"anon 5\ninactive_file {droppable}"}


def v1(limit, used, droppable):
    stat = f"inactive_file 7\ntotal_inactive_file {droppable}"
    return {"limit_in_bytes": limit, "usage_in_bytes": used, "stat": stat}


def test_what_is_available_is_bounded_by_the_tightest_control_group(groups):
    groups("0::/user/job\n", user=v2(1_000_000_000, 900_000_000, 300_000_000), user__job=v2("max", 600_000_000))
    assert memory.available() == 400_000_000
    groups("0::/user/job\n", user__job=v2(700_000_000, 600_000_000))
    assert memory.available() == 100_000_000


def test_a_control_group_of_version_1_counts_too(groups):
    groups("4:memory:/a\n0::/\n", memory__a=v1(1_000_000_000, 900_000_000, 50_000_000), memory=v1(2**63 - 4096, 1, 0))
    assert memory.available() == 150_000_000


def test_a_control_group_above_its_limit_leaves_nothing(groups):
    groups("0::/job\n", job=v2(1_000, 2_000))
    assert memory.available() == 0


@pytest.mark.parametrize("membership", ["", "0::/job\n"])
def test_without_a_limit_it_is_what_the_machine_has(groups, membership):
    groups(membership, job=v2("max", 600_000_000))
    assert memory.available() == 4_000_000_000


def test_kernel_kills_are_counted_or_unknown(tmp_path, monkeypatch):
    vmstat = tmp_path / "vmstat"
    monkeypatch.setattr(memory, "_VMSTAT", vmstat)
    assert memory.kernel_oom_kills() is None
    vmstat.write_text("nr_free_pages 12\noom_kill 3\n")
    assert memory.kernel_oom_kills() == 3


@pytest.mark.parametrize(("system", "unit"), [("linux", 1024), ("darwin", 1)])
def test_without_proc_the_peak_comes_from_the_resource_counter(tmp_path, monkeypatch, system, unit):
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "none")
    monkeypatch.setattr(memory.sys, "platform", system)
    monkeypatch.setattr(memory.resource, "getrusage", lambda _: types.SimpleNamespace(ru_maxrss=1234))
    assert memory.resident_peak() == 1234 * unit
