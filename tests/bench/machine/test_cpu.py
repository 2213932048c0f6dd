import os

import pytest

from bench.machine import cpu
from bench.machine.cpu import (
    given_cores,
    governor,
    parse_flags,
    parse_sysctl,
    remember_cores,
    taken_cores,
    usable_cores,
)

SAPPHIRE_RAPIDS = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu vme sse2 avx avx2 avx512f avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8
bugs\t\t: spectre_v1
"""
GRAVITON3 = """\
processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd fphp asimdhp asimddp sve i8mm bf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""


def test_flags_are_those_that_decide_speed_and_that_every_core_has():
    assert parse_flags(SAPPHIRE_RAPIDS) == (
        "avx2", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "amx_tile", "amx_bf16", "amx_int8",
    )  # fmt: skip
    assert parse_flags(GRAVITON3) == ("asimd", "fphp", "asimdhp", "asimddp", "bf16", "i8mm", "sve")
    assert parse_flags(GRAVITON3 + "processor: 1\nFeatures: fp asimd\n") == ("asimd",)
    assert parse_flags("") == ()


def test_an_apple_processor_has_flags_by_sysctl():
    assert parse_sysctl({"hw.optional.arm.FEAT_BF16": "1", "hw.optional.arm.FEAT_I8MM": "0"}.get) == ("bf16",)


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


def test_cores_that_a_library_takes_away_are_still_given_and_noted(monkeypatch):
    monkeypatch.setattr(cpu, "_given", None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(cpu, "cgroup_folders", list)
    remember_cores()
    assert taken_cores() is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setenv("OMP_PROC_BIND", "true")
    assert given_cores() == set(range(6))
    assert usable_cores() == 6
    assert "bound to 1 of the 6 cores that it was given, by OMP_PROC_BIND=true" in taken_cores()


def test_governors_of_all_cores_are_named(tmp_path):
    for core, name in enumerate(["powersave", "performance", "powersave"]):
        write(tmp_path / f"cpu{core}" / "cpufreq", scaling_governor=name)
    assert governor(tmp_path) == "performance,powersave"
    assert governor(tmp_path / "nowhere") is None
