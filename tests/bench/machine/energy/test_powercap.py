import os

import pytest

from bench.machine.energy.powercap import refusal, zones
from tests.bench.machine.energy.test_meter import zone


def test_a_machine_without_powercap_says_which_folder_is_missing(tmp_path):
    reason = zones(tmp_path / "powercap")
    assert str(tmp_path / "powercap") in reason
    assert "errno 2" in reason
    assert "no counter of a processor package" in zones(tmp_path)


def test_parts_of_a_package_and_the_whole_system_are_left_out(tmp_path):
    for name, label in [
        ("intel-rapl:0", "package-0"),
        ("intel-rapl:0:0", "core"),
        ("intel-rapl:0:1", "dram"),
        ("intel-rapl:0:2", "uncore"),
        ("intel-rapl:1", "psys"),
        ("intel-rapl-mmio:0", "package-0"),
    ]:
        zone(tmp_path, name, 1, label=label)
    (tmp_path / "intel-rapl").mkdir()  # the controller, which has no name
    assert {each.path.name.partition(":")[2] for each in zones(tmp_path)} == {"0", "0:1"}
    assert len(zones(tmp_path)) == 2


def test_the_range_is_in_joules(tmp_path):
    zone(tmp_path, "intel-rapl:0", 1_500_000, range_uj=2_000_000)
    (only,) = zones(tmp_path)
    assert (only.range_j, only.joules()) == (2.0, 1.5)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_others_may_not_read_is_named_with_its_remedy(tmp_path):
    file = zone(tmp_path, "intel-rapl:0", 1)
    file.chmod(0)
    reason = zones(tmp_path)
    assert "errno 13" in reason
    assert reason.endswith(f"chmod a+r {file}")


def test_a_denial_is_told_with_file_errno_and_remedy():
    denied = PermissionError(13, "Permission denied", "/sys/x/energy_uj")
    assert refusal(denied) == (
        "/sys/x/energy_uj: Permission denied (errno 13); as root, let others read it: chmod a+r /sys/x/energy_uj"
    )
    assert (
        refusal(OSError(5, "Input/output error", "/sys/x/energy_uj"))
        == "/sys/x/energy_uj: Input/output error (errno 5)"
    )
