import dataclasses

import pytest
from msgspec import structs

from bench.doctor.checks import CHECKS, Host
from results.schema.lines.record import Noise

QUIET = Host(
    governors="performance",
    driver="intel_pstate",
    no_turbo="1",
    boost="",
    throttles=(0, 0),
    noise=Noise(other_cpus=0.01, steal=0.0, cpu_pressure=0.001, memory_pressure=0.0, throttled_s=0.0),
    reasons={},
    busiest=(),
    memory_bytes=16 * 10**9,
    available_bytes=12 * 10**9,
    swap_bytes=0,
    logical_cores=8,
    allowed_cores=8,
    usable_cores=8,
    cgroup_cpus=None,
    siblings=False,
    nodes=1,
    power="no battery",
    variables={},
)


def run(**changes):
    host = dataclasses.replace(QUIET, **changes)
    return {check.name: check for check in (check(host) for check in CHECKS)}


def noisy(**changes):
    return {"noise": structs.replace(QUIET.noise, **changes)}


def test_a_quiet_machine_is_good_throughout_and_needs_no_remedy():
    found = run()
    assert len(found) == len(CHECKS)
    assert {(check.state, check.remedy) for check in found.values()} == {("good", None)}


@pytest.mark.parametrize(
    ("name", "state", "changes"),
    [
        ("governor", "bad", {"governors": "powersave", "driver": "acpi-cpufreq"}),
        ("governor", "warn", {"governors": "powersave"}),
        ("governor", "warn", {"governors": "performance,schedutil"}),
        ("turbo", "warn", {"no_turbo": "0"}),
        ("turbo", "warn", {"no_turbo": "", "boost": "1"}),
        ("turbo", "good", {"no_turbo": "", "boost": "0"}),
        ("heat", "warn", {"throttles": (7, 7)}),
        ("heat", "bad", {"throttles": (7, 8)}),
        ("cpu limit", "bad", noisy(throttled_s=0.2)),
        ("cpu quota", "warn", {"cgroup_cpus": 2.5, "usable_cores": 2}),
        ("cpu quota", "good", {"cgroup_cpus": 4.0, "usable_cores": 4}),
        ("steal", "warn", noisy(steal=0.05)),
        ("steal", "bad", noisy(steal=0.3)),
        ("other load", "warn", noisy(other_cpus=0.2)),
        ("other load", "bad", noisy(other_cpus=1.0)),
        ("other load", "warn", {**noisy(other_cpus=1.0), "logical_cores": 64}),
        ("cpu pressure", "warn", noisy(cpu_pressure=0.1)),
        ("cpu pressure", "bad", noisy(cpu_pressure=0.8)),
        ("memory pressure", "warn", noisy(memory_pressure=0.01)),
        ("memory pressure", "bad", noisy(memory_pressure=0.2)),
        ("memory", "bad", {"available_bytes": 10**9}),
        ("swap", "warn", {"swap_bytes": 10**9}),
        ("threads", "bad", {"variables": {"OMP_NUM_THREADS": "16"}}),
        ("threads", "warn", {"variables": {"OMP_NUM_THREADS": "4"}}),
        ("threads", "bad", {"variables": {"OMP_NUM_THREADS": "8", "MKL_NUM_THREADS": "9"}}),
        ("threads", "good", {"variables": {"OMP_NUM_THREADS": "8"}}),
        ("threads", "warn", {"variables": {"OMP_NUM_THREADS": "8,2"}}),
        ("threads", "warn", {"cgroup_cpus": 2.0, "usable_cores": 2}),
        ("threads", "bad", {"variables": {"OMP_THREAD_LIMIT": "1"}}),
        ("threads", "good", {"variables": {"OMP_THREAD_LIMIT": "8"}}),
        ("threads", "warn", {"variables": {"OMP_DYNAMIC": "TRUE"}}),
        ("waiting threads", "warn", {"variables": {"OMP_WAIT_POLICY": "PASSIVE"}}),
        ("waiting threads", "warn", {"variables": {"KMP_BLOCKTIME": "0"}}),
        ("waiting threads", "good", {"variables": {"OMP_WAIT_POLICY": "active", "KMP_BLOCKTIME": "200"}}),
        ("binding", "warn", {"nodes": 2}),
        ("binding", "warn", {"variables": {"GOMP_CPU_AFFINITY": "0-3"}}),
        ("binding", "warn", {"variables": {"OMP_PROC_BIND": "TRUE"}}),
        ("binding", "warn", {"variables": {"OMP_PLACES": "cores"}}),
        ("binding", "good", {"variables": {"OMP_PROC_BIND": "false", "OMP_PLACES": "cores"}}),
        ("binding", "good", {"variables": {"OMP_PROC_BIND": "true"}, "usable_cores": 1}),
        ("binding", "good", {"nodes": 2, "allowed_cores": 4}),
        ("SMT", "warn", {"siblings": True}),
        ("power", "bad", {"power": "on battery"}),
        ("power", "good", {"power": "on mains"}),
    ],
)
def test_what_is_seen_decides_and_what_is_not_good_has_a_remedy(name, state, changes):
    check = run(**changes)[name]
    assert check.state == state
    assert (check.remedy is None) == (state == "good")
    assert "\n" not in f"{check.seen}{check.remedy}"


def test_what_the_machine_does_not_tell_is_unknown_with_its_reason():
    silent = {"governors": None, "no_turbo": "", "throttles": None, "siblings": None, "nodes": None, "power": "unknown"}
    fields = ("other_cpus", "steal", "cpu_pressure", "memory_pressure", "throttled_s")
    found = run(**silent, noise=Noise(), reasons={field: f"no {field}" for field in fields})
    unknown = {name: check.seen for name, check in found.items() if check.state == "unknown"}
    assert unknown.keys() == {
        "governor", "turbo", "heat", "SMT", "binding", "power",
        "steal", "other load", "cpu pressure", "memory pressure", "cpu limit",
    }  # fmt: skip
    assert unknown["steal"] == "no steal"
    assert all(unknown.values())


def test_the_busiest_are_named_and_the_passive_setting_is_undone():
    found = run(**noisy(other_cpus=1.5), busiest=(("python", 1.04), ("rsync", 0.3)))
    assert found["other load"].seen == "1.50 CPUs (python 1.04, rsync 0.30)"
    waiting = run(variables={"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"})["waiting threads"]
    assert waiting.remedy == "unset OMP_WAIT_POLICY GOMP_SPINCOUNT"
