import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.machine import noise
from bench.machine.cgroup import cgroup_folders
from bench.machine.noise import (
    LEAST_S,
    Counters,
    Watch,
    between,
    counters,
    own_processes,
    parse_pressure,
    parse_process,
    parse_stat,
    parse_throttled,
    pressure,
    throttled,
    tree,
    tree_ticks,
)
from results.schema.lines.record import Noise

STAT = """\
cpu  1000 200 300 90000 4000 50 60 70 500 0
cpu0 600 100 200 45000 2000 25 30 35 250 0
cpu1 400 100 100 45000 2000 25 30 35 250 0
intr 123
"""
PSI = """\
some avg10=0.47 avg60=0.49 avg300=0.17 total=2500000
full avg10=0.00 avg60=0.00 avg300=0.00 total=7
"""
FULL = Counters(
    clock_s=100.0,
    busy_s=50.0,
    own_s=10.0,
    steal_s=1.0,
    cpu_wait_s=3.0,
    memory_wait_s=0.5,
    throttled_s={Path("a"): 2.0},
)


def later(first=FULL, **changes):
    return dataclasses.replace(first, clock_s=first.clock_s + 10.0, **changes)


def test_busy_time_is_neither_idle_nor_stolen_nor_a_guests_twice():
    assert parse_stat(STAT, 0.01, {0, 1}) == (pytest.approx(16.1), pytest.approx(0.7))


def test_only_the_cpus_that_this_process_may_run_on_count():
    assert parse_stat(STAT, 0.01, {0}) == (pytest.approx(9.55), pytest.approx(0.35))
    assert parse_stat(STAT, 0.01, {7}) == (None, None)


def test_a_kernel_that_counts_no_steal_and_a_system_without_the_file():
    assert parse_stat("cpu0 1 2 3 4 5 6 7\n", 1.0, {0}) == (19.0, None)
    assert parse_stat("", 1.0, {0}) == (None, None)


def test_pressure_is_the_total_of_some():
    assert parse_pressure(PSI) == 2.5
    assert parse_pressure("full avg10=0.00 total=7\n") is None
    assert parse_pressure("") is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("usage_usec 9\nnr_throttled 3\nthrottled_usec 1500000\n", 1.5),
        ("nr_periods 7\nnr_throttled 3\nthrottled_time 2500000000\n", 2.5),
        ("usage_usec 9\nuser_usec 5\n", None),
        ("", None),
    ],
)
def test_throttled_time_of_both_versions_of_control_groups(text, seconds):
    assert parse_throttled(text) == seconds


def test_a_process_is_read_whatever_its_name():
    fields = ["S", "7", *["0"] * 9, "10", "20", "300", "400", *["0"] * 30]
    assert parse_process(f"42 (odd) name (x) {' '.join(fields)}") == (7, 730)
    with pytest.raises(ValueError, match="no fields"):
        parse_process("")


def test_a_tree_is_a_process_and_all_that_descends_from_it():
    processes = {1: (0, 1000), 10: (1, 1), 11: (10, 20), 12: (11, 300), 13: (1, 5000)}
    assert tree(processes, 10) == {10, 11, 12}
    assert tree_ticks(processes, 10) == 321
    assert tree(processes, 99) == set()


def test_rates_are_growth_a_second():
    found, reasons = between(
        FULL,
        later(busy_s=75.0, own_s=25.0, steal_s=1.5, cpu_wait_s=5.0, memory_wait_s=0.6, throttled_s={Path("a"): 2.5}),
    )
    assert found == Noise(
        other_cpus=pytest.approx(1.0),
        steal=pytest.approx(0.05),
        cpu_pressure=pytest.approx(0.2),
        memory_pressure=pytest.approx(0.01),
        throttled_s=0.5,
    )
    assert reasons == {}


def test_no_share_of_the_time_is_more_than_all_of_it():
    found, _ = between(FULL, later(cpu_wait_s=13.1, memory_wait_s=0.5))
    assert (found.cpu_pressure, found.memory_pressure) == (1.0, 0.0)


def test_nothing_is_negative_though_ticks_are_counted_differently():
    found, _ = between(FULL, later(busy_s=59.0, own_s=19.2))
    assert found.other_cpus == 0


def test_nested_limits_count_the_same_stop_once_and_a_new_group_none():
    groups = {Path("a"): 2.0, Path("a/b"): 1.0}
    grown = {Path("a"): 3.0, Path("a/b"): 1.9, Path("c"): 9.0}
    found, _ = between(dataclasses.replace(FULL, throttled_s=groups), later(throttled_s=grown))
    assert found.throttled_s == 1.0


def test_what_the_system_does_not_tell_is_none_with_its_reason():
    found, reasons = between(Counters(clock_s=0.0), Counters(clock_s=10.0))
    assert found == Noise()
    assert set(reasons) == {"other_cpus", "steal", "cpu_pressure", "memory_pressure", "throttled_s"}
    assert all(reasons.values())


def test_a_moment_is_too_short_for_ticks_and_long_enough_for_pressure():
    found, reasons = between(FULL, dataclasses.replace(FULL, clock_s=FULL.clock_s + LEAST_S / 2, cpu_wait_s=3.1))
    assert (found.other_cpus, found.steal) == (None, None)
    assert "ticks" in reasons["other_cpus"]
    assert found.cpu_pressure == pytest.approx(0.4)


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_pressure_is_the_own_control_groups_before_the_hosts(tmp_path):
    folders, proc = [tmp_path / "group" / "inner", tmp_path / "group"], tmp_path / "proc"
    write(proc / "pressure" / "cpu", PSI.replace("2500000", "9000000"))
    assert pressure("cpu", folders, proc) == 9.0
    write(folders[1] / "cpu.pressure", PSI)
    assert pressure("cpu", folders, proc) == 2.5
    assert pressure("memory", folders, proc) is None


def test_only_groups_that_count_are_watched(tmp_path):
    write(tmp_path / "a" / "cpu.stat", "throttled_usec 1000000\n")
    write(tmp_path / "b" / "cpu.stat", "usage_usec 1\n")
    assert throttled([tmp_path / "a", tmp_path / "b", tmp_path / "c"]) == {tmp_path / "a": 1.0}


def test_a_watch_tells_of_the_time_since_it_was_made():
    readings = iter([FULL, later(busy_s=60.0, own_s=10.0), later(busy_s=60.0, own_s=20.0)])
    watch = Watch(lambda: next(readings))
    assert watch.noise()[0].other_cpus == pytest.approx(1.0)
    assert watch.noise()[0].other_cpus == 0


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")


@linux
def test_this_machine_counts_its_own_work_as_its_own():
    first = counters()
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert child.pid in own_processes()
        while counters().own_s - first.own_s < 0.1:
            time.sleep(0.02)
        running = counters().own_s
    finally:
        child.kill()
        child.wait()
    assert counters().own_s >= running  # a child that was reaped stays counted
    assert child.pid not in own_processes()
    assert os.getpid() in own_processes()


@linux
def test_this_machines_noise_fits_the_schema():
    first = counters()
    found, reasons = between(first, dataclasses.replace(counters(), clock_s=first.clock_s + 1.0))
    for field in ("other_cpus", "steal", "cpu_pressure", "memory_pressure", "throttled_s"):
        value = getattr(found, field)
        assert (value is None) == (field in reasons)
        assert value is None or value >= 0
    assert found.other_cpus is not None
    assert (found.accelerator_throttling, found.accelerator_held) == ((), None)


def test_a_system_without_proc_gives_reasons_and_no_crash(tmp_path, monkeypatch):
    monkeypatch.setattr(noise, "_PROC", tmp_path)
    monkeypatch.setattr(noise, "cgroup_folders", lambda: cgroup_folders("", tmp_path))
    monkeypatch.setattr(noise, "pressure", lambda resource, folders: pressure(resource, folders, tmp_path))
    found, reasons = Watch().noise()
    assert found == Noise()
    assert reasons.keys() == {"other_cpus", "steal", "cpu_pressure", "memory_pressure", "throttled_s"}
