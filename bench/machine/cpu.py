"""The CPU: its name, its instruction sets, and the cores that this process may use.

Functions that parse a format take its text or folder as an argument.
"""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import psutil

from bench.machine.cgroup import cgroup_folders, cgroup_limits
from bench.machine.files import read_text

CPU_FLAGS: Final = (
    # x86
    "avx2", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "avx_vnni",
    "amx_tile", "amx_bf16", "amx_fp16", "amx_int8",
    # Arm
    "asimd", "fphp", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2", "sme",
)  # fmt: skip
"""The instruction sets that determine the speed of convolutions, by Linux' names."""

_APPLE_FLAGS: Final = {
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.arm.FEAT_FP16": "asimdhp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.avx2_0": "avx2",
}


def name_and_flags() -> tuple[str | None, tuple[str, ...]]:
    """Return the name of this machine's CPU, and the flags of `CPU_FLAGS` that it has."""
    if sys.platform == "darwin":
        return parse_sysctl(_sysctl)
    return parse_cpuinfo(read_text(pathlib.Path("/proc/cpuinfo")))


def cpu_flags() -> tuple[str, ...]:
    """Return the flags of `CPU_FLAGS` that this machine's CPU has."""
    return name_and_flags()[1]


def parse_cpuinfo(text: str) -> tuple[str | None, tuple[str, ...]]:
    """Return a CPU's name and its flags of `CPU_FLAGS`, from the text of ``/proc/cpuinfo``.

    Arm's text has no name: the numbers of the implementer and the part replace it.
    """
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name") or fields.get("Hardware")
    if name is None and "CPU part" in fields:
        name = f"Arm implementer {fields.get('CPU implementer', '?')} part {fields['CPU part']}"
    present = set(fields.get("flags", fields.get("Features", "")).split())
    return name, tuple(flag for flag in CPU_FLAGS if flag in present)


def parse_sysctl(read: Callable[[str], str | None]) -> tuple[str | None, tuple[str, ...]]:
    """Return a CPU's name and flags on macOS; `read` returns the value of a sysctl name, None for an unknown name."""
    present = {flag for name, flag in _APPLE_FLAGS.items() if read(name) == "1"}
    return read("machdep.cpu.brand_string"), tuple(flag for flag in CPU_FLAGS if flag in present)


def usable_cores() -> int:
    """Return the number of cores that both the affinity and the control group of this process allow.

    Fractions of a core do not count, but the number is at least 1: a further thread would wait for the others.
    """
    # The cores that affinity allows; macOS has no affinity.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    granted, _ = cgroup_limits(cgroup_folders())
    return cores if granted is None else max(1, min(cores, int(granted)))


def physical_cores() -> int | None:
    """Return the number of physical cores, None where the system does not report it."""
    return psutil.cpu_count(logical=False)


def governor(cpus: pathlib.Path = pathlib.Path("/sys/devices/system/cpu")) -> str | None:
    """Return the frequency governors of the cores, joined by commas, None where the system reports none."""
    names = {read_text(file) for file in cpus.glob("cpu[0-9]*/cpufreq/scaling_governor")} - {""}
    return ",".join(sorted(names)) or None


def _sysctl(name: str) -> str | None:
    done = subprocess.run(["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
