"""The CPU: its instruction sets, and the cores that this process may use; `bench.machine.cpu_names` names it.

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
from bench.machine.cpu_names import apple_name, board_name, cores_of, cpu_name, hybrid_kinds
from bench.machine.files import read_text

CPU_FLAGS: Final = (
    # x86
    "avx2", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "avx_vnni",
    "amx_tile", "amx_bf16", "amx_fp16", "amx_int8",
    # Arm
    "asimd", "fphp", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2", "sme",
)  # fmt: skip
"""The instruction sets that determine the speed of convolutions, by Linux' names."""

INSTRUCTIONS: Final = {
    "bfloat16": frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
    "float16": frozenset({"avx512_fp16", "amx_fp16", "fphp", "asimdhp"}),
    "int8": frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}),
}
"""The instruction sets that oneDNN's convolutions need for a dtype, of x86 and Arm; those of int8 add products in 32
bits. Without them a dtype is emulated."""
_APPLE_FLAGS: Final = {
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.arm.FEAT_FP16": "asimdhp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.avx2_0": "avx2",
}


BINDING: Final = ("GOMP_CPU_AFFINITY", "KMP_AFFINITY", "OMP_PROC_BIND", "OMP_PLACES")
"""Variables by which OpenMP binds threads, and with them the process that imports torch."""

_given: set[int] | None = None
"""The cores that this process was given, None before `remember_cores`."""


def remember_cores() -> None:
    """Note the cores of this process before a library binds it: libgomp does so as torch is imported."""
    global _given  # noqa: PLW0603 - forked workers must know it
    _given = bound_cores()


def given_cores() -> set[int]:
    """Return the cores that this process was given, whatever a library has bound it to since `remember_cores`."""
    return bound_cores() if _given is None else _given


def bound_cores() -> set[int]:
    """Return the cores that this process may run on now; macOS has no affinity."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def taken_cores() -> str | None:
    """Return a note where something has bound this process to fewer cores than it was given, else None."""
    given, bound = len(given_cores()), len(bound_cores() & given_cores())
    if bound >= given:
        return None
    chosen = [f"{name}={value}" for name in BINDING if (value := os.environ.get(name))]
    cause = f", by {' '.join(chosen)}" if chosen else ""
    return f"its process is bound to {bound} of the {given} cores that it was given{cause}: the compiler has no others"


def name_and_flags() -> tuple[str | None, tuple[str, ...]]:
    """Return the name of this machine's CPU, and the flags of `CPU_FLAGS` that it has."""
    if sys.platform == "darwin":
        return apple_name(_sysctl), parse_sysctl(_sysctl)
    text = read_text(pathlib.Path("/proc/cpuinfo"))
    name = cpu_name(text, board=board_name(), hybrid=hybrid_kinds(), allowed=given_cores())
    return name, parse_flags(text)


def cpu_flags() -> tuple[str, ...]:
    """Return the flags of `CPU_FLAGS` that this machine's CPU has."""
    return name_and_flags()[1]


def parse_flags(text: str) -> tuple[str, ...]:
    """Return the flags of `CPU_FLAGS` that all cores in the text of ``/proc/cpuinfo`` have."""
    machine, cores = cores_of(text)
    present = [set(fields.get("flags", fields.get("features", "")).split()) for fields in cores or [machine]]
    return tuple(flag for flag in CPU_FLAGS if all(flag in flags for flags in present))


def parse_sysctl(read: Callable[[str], str | None]) -> tuple[str, ...]:
    """Return a CPU's flags on macOS; `read` returns the value of a sysctl name, None for an unknown name."""
    present = {flag for name, flag in _APPLE_FLAGS.items() if read(name) == "1"}
    return tuple(flag for flag in CPU_FLAGS if flag in present)


def usable_cores() -> int:
    """Return the number of cores that this process was given and that its control group allows.

    Fractions of a core do not count, but the number is at least 1: a further thread would wait for the others.
    """
    cores = len(given_cores())
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


def computes_in(dtype: str) -> bool:
    """Return whether this CPU has instructions for a dtype of `INSTRUCTIONS`."""
    return bool(INSTRUCTIONS[dtype] & set(cpu_flags()))
