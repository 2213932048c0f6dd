import os

import pytest

from bench.machine import cpu
from bench.machine.cpu import governor, parse_cpuinfo, parse_sysctl, usable_cores

SAPPHIRE_RAPIDS = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu vme sse2 avx avx2 avx512f avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8
bugs\t\t: spectre_v1

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
GRAVITON3 = """\
processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd fphp asimdhp asimddp sve i8mm bf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""


def test_an_x86_processor_is_known_by_its_first_core():
    name, flags = parse_cpuinfo(SAPPHIRE_RAPIDS)
    assert name == "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"
    assert flags == (
        "avx2", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "amx_tile", "amx_bf16", "amx_int8",
    )  # fmt: skip


def test_an_arm_processor_is_known_by_its_numbers():
    name, flags = parse_cpuinfo(GRAVITON3)
    assert name == "Arm implementer 0x41 part 0xd40"
    assert flags == ("asimd", "fphp", "asimdhp", "asimddp", "bf16", "i8mm", "sve")


def test_no_cpuinfo_is_no_name_and_no_flags():
    assert parse_cpuinfo("") == (None, ())


def test_an_apple_processor_is_known_from_sysctl():
    known = {"machdep.cpu.brand_string": "Apple M3", "hw.optional.arm.FEAT_BF16": "1", "hw.optional.arm.FEAT_I8MM": "0"}
    assert parse_sysctl(known.get) == ("Apple M3", ("bf16",))


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("granted", "usable"), [(None, 6), ("400000 100000", 4), ("150000 100000", 1), ("50000 100000", 1), ("max 1", 6)]
)
def test_usable_cores_are_allowed_and_paid_for(tmp_path, monkeypatch, granted, usable):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(cpu, "cgroup_folders", lambda: [tmp_path])
    if granted is not None:
        write(tmp_path, cpu__max=granted)
    assert usable_cores() == usable


def test_governors_of_all_cores_are_named(tmp_path):
    for core, name in enumerate(["powersave", "performance", "powersave"]):
        write(tmp_path / f"cpu{core}" / "cpufreq", scaling_governor=name)
    assert governor(tmp_path) == "performance,powersave"
    assert governor(tmp_path / "nowhere") is None
