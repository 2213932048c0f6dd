import os
import subprocess
import sys

import pytest

from bench.doctor import host
from bench.doctor.checks import CHECKS
from bench.doctor.host import busiest, look, siblings, throttle_count


def write(root, **texts):
    for name, text in texts.items():
        file = root.joinpath(*name.split("__"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n", encoding="utf-8")


def test_throttling_is_counted_a_core_and_once_a_package(tmp_path):
    for core, (package, count, shared) in enumerate([("0", 3, 10), ("0", 4, 10), ("1", 0, 2)]):
        write(
            tmp_path / f"cpu{core}",
            thermal_throttle__core_throttle_count=count,
            thermal_throttle__package_throttle_count=shared,
            topology__physical_package_id=package,
        )
    assert throttle_count(tmp_path) == 7 + 10 + 2
    assert throttle_count(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("lists", "allowed", "found"),
    [
        (["0,4", "1,5"], {0, 1}, False),
        (["0,4", "1,5"], {0, 1, 4}, True),
        (["0-1"], {0, 1}, True),
        (["0", "1"], {0, 1}, False),
        (["", ""], {0, 1}, None),
    ],
)
def test_siblings_count_where_this_process_may_run_on_both(lists, allowed, found):
    assert siblings(lists, allowed) is found


def test_the_busiest_are_others_and_more_than_idle():
    before = {(1, "old"): 5.0, (2, "own"): 0.0, (3, "idle"): 1.0, (4, "gone"): 9.0}
    after = {(1, "old"): 6.0, (2, "own"): 9.0, (3, "idle"): 1.01, (5, "new"): 3.0, (6, "c"): 0.5, (7, "d"): 0.4}
    assert busiest(before, after, 2.0, own={2}) == (("new", 1.5), ("old", 0.5), ("c", 0.25))


@pytest.mark.parametrize(
    ("battery", "power"), [(None, "no battery"), (True, "on mains"), (False, "on battery"), ("?", "unknown")]
)
def test_power_is_what_the_battery_says(monkeypatch, battery, power):
    plugged = None if battery == "?" else battery
    sensor = None if battery is None else type("Battery", (), {"power_plugged": plugged})
    monkeypatch.setattr(host.psutil, "sensors_battery", lambda: sensor, raising=False)
    assert host._power() == power


def test_this_host_is_looked_at_and_every_check_has_an_answer(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    naps = []
    seen = look(naps.append)
    assert naps == [host.WATCH_S]
    assert 1 <= seen.usable_cores <= seen.allowed_cores <= seen.logical_cores == os.cpu_count()
    assert 0 < seen.available_bytes <= seen.memory_bytes
    assert seen.variables["OMP_NUM_THREADS"] == "3"
    for check in CHECKS:
        found = check(seen)
        assert found.state in {"good", "warn", "bad", "unknown"}
        assert found.seen


@pytest.mark.skipif(sys.platform != "linux", reason="what is not Linux hides others' processes")
def test_a_process_of_others_is_found_by_its_name(monkeypatch):
    monkeypatch.setattr(host.noise, "own_processes", lambda: {os.getpid()})
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    name = host.psutil.Process(child.pid).name()
    every = host.psutil.process_iter
    # Alone, for whatever else this machine runs may be busier.
    monkeypatch.setattr(
        host.psutil, "process_iter", lambda fields: (each for each in every(fields) if each.pid == child.pid)
    )
    try:

        def until_it_worked(_):
            start = host._cpu_seconds().get((child.pid, name), 0.0)
            while host._cpu_seconds().get((child.pid, name), 0.0) < start + 0.2:
                pass

        assert name in {each for each, _ in look(until_it_worked).busiest}
    finally:
        child.kill()
        child.wait()
