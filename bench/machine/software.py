"""The machine and the software of a run, without host, user or folder names.

What reads a format takes its text or folder as an argument; `describe` is what looks at this machine.
"""

import importlib.metadata
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from results.schema.run import Environment
from results.text import printable

CPU_FLAGS: Final = (
    # x86
    "avx2", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "avx_vnni",
    "amx_tile", "amx_bf16", "amx_fp16", "amx_int8",
    # Arm
    "asimd", "fphp", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2", "sme",
)  # fmt: skip
"""The instruction sets that decide how fast a convolution can be, by Linux' names."""

_APPLE_FLAGS: Final = {
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.arm.FEAT_FP16": "asimdhp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.avx2_0": "avx2",
}

_VARIABLES: Final = re.compile(
    r"(OMP|KMP|GOMP|MKL|ONEDNN|DNNL|OPENBLAS|VECLIB|MALLOC|TORCHINDUCTOR|TORCHDYNAMO|TRITON|CUDNN|NVIDIA_TF32)_\w+"
    r"|CUDA_(VISIBLE_DEVICES|LAUNCH_BLOCKING|MODULE_LOADING|DEVICE_ORDER|DEVICE_MAX_CONNECTIONS)"
    r"|(HIP|ROCR|ZE)_\w+|PYTORCH_(CUDA_|HIP_|MPS_)?ALLOC_CONF|PYTORCH_ENABLE_MPS_FALLBACK|PYTORCH_MPS_\w+"
    r"|TORCH_(ALLOW_TF32_CUBLAS_OVERRIDE|CUDNN_\w+|BLAS_\w+|LINALG_\w+)|CUBLAS_WORKSPACE_CONFIG|LD_PRELOAD"
)

_BUILD: Final = {
    "mkl": r"(?:oneAPI )?Math Kernel Library Version ([^\n]+?)(?: for [^\n]*)?$",
    "onednn": r"MKL-DNN (v[^\s]+)",
    "openmp": r"OpenMP (\d+[^\n]*)$",
    "compiler": r"- (GCC [^\n]+|clang [^\n]+|MSVC [^\n]+)$",
    "blas": r"BLAS_INFO=(\w+)",
}
"""What to look for in the text of ``torch.__config__.show()``."""

_ROOT: Final = pathlib.Path(__file__).resolve().parents[2]
_T = TypeVar("_T")
_ELSEWHERE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
_NO_LIMIT: Final = 1 << 60
"""Version 1 of control groups writes a huge number of bytes where there is no limit."""


def describe() -> Environment:
    """Look at this machine. What cannot be found is None, with its reason in `Environment.nulls`.

    On CUDA this makes a context: not in a process that forks.
    """
    import torch  # noqa: PLC0415

    from bench.worker.accelerators import find  # noqa: PLC0415

    nulls: dict[str, str] = {}
    cpu, flags = _cpu()
    cgroup_cpus, cgroup_memory = _cgroup(nulls)
    commit, no_commit = tool_commit(_ROOT)
    return Environment(
        cpu=cpu or platform.machine(),
        cpu_flags=flags,
        physical_cores=_or_null(_physical_cores(), "physical_cores", "the system does not tell", nulls),
        logical_cores=os.cpu_count() or 1,
        usable_cores=usable_cores(),
        governor=_or_null(governor(), "governor", "the system has no frequency governor that can be read", nulls),
        cgroup_cpus=cgroup_cpus,
        cgroup_memory_bytes=cgroup_memory,
        memory_bytes=_memory(),
        accelerators=find(nulls),
        os=_os(),
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        torch=str(torch.__version__),
        torch_build=_torch_build(nulls),
        torch_threads=torch.get_num_threads(),
        torch_interop_threads=torch.get_num_interop_threads(),
        variables=variables(os.environ),
        torchvision=_or_null(_version("torchvision"), "torchvision", "not installed", nulls),
        tool_version=tool_version(),
        tool_commit=_or_null(commit, "tool_commit", no_commit, nulls),
        nulls=nulls,
    )


def cpu_flags() -> tuple[str, ...]:
    """Return those of `CPU_FLAGS` that this machine's CPU has."""
    return _cpu()[1]


def parse_cpuinfo(text: str) -> tuple[str | None, tuple[str, ...]]:
    """Return a CPU's name and those of `CPU_FLAGS` it has, from the text of ``/proc/cpuinfo``.

    Arm's has no name, only the maker's and the part's numbers; these are given instead.
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
    """Return a CPU's name and flags on macOS; `read` gives the value of a sysctl name, None where it has none."""
    present = {flag for name, flag in _APPLE_FLAGS.items() if read(name) == "1"}
    return read("machdep.cpu.brand_string"), tuple(flag for flag in CPU_FLAGS if flag in present)


def usable_cores() -> int:
    """Return how many cores this process can keep busy: those that it may run on, and its control group pays for.

    A part of a core does not count, but there is at least one: a thread more than that would wait for the others.
    """
    # What affinity allows; macOS has none.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    granted, _ = cgroup_limits(cgroup_folders())
    return cores if granted is None else max(1, min(cores, int(granted)))


def cgroup_folders(
    membership: str | None = None, mount: pathlib.Path = pathlib.Path("/sys/fs/cgroup")
) -> tuple[pathlib.Path, ...]:
    """Return the folders of this process's control groups, each level up to the top: a group's parents limit it too.

    Version 2 has one tree, version 1 one for each controller. In a container the path may lead outside what is
    mounted: folders need not exist.

    Args:
        membership: Text of ``/proc/self/cgroup``, which is read if None.
        mount: Where control groups are mounted.
    """
    folders: list[pathlib.Path] = []
    for line in (_membership() if membership is None else membership).splitlines():
        _, controllers, path = line.split(":", 2)
        tops = [controllers, *controllers.split(",")] if controllers else ["", "unified"]
        parts = [part for part in path.split("/") if part not in {"", ".."}]
        folders += [mount.joinpath(top, *parts[:length]) for top in tops for length in range(len(parts), -1, -1)]
    return tuple(dict.fromkeys(folders))


def cgroup_limits(folders: Iterable[pathlib.Path]) -> tuple[float | None, int | None]:
    """Return the CPUs' worth of time and the bytes of memory that the control groups grant, None where unlimited.

    The least of all levels counts.
    """
    cpus: list[float] = []
    memory: list[int] = []
    for folder in folders:
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        quota = quota or _read(folder / "cpu.cfs_quota_us")
        period = period or _read(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():  # "max" and -1 are no limit
            cpus.append(int(quota) / int(period))
        limit = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
        if limit.isdecimal() and int(limit) < _NO_LIMIT:
            memory.append(int(limit))
    return min(cpus, default=None), min(memory, default=None)


def governor(cpus: pathlib.Path = pathlib.Path("/sys/devices/system/cpu")) -> str | None:
    """Return the frequency governor of the cores, several joined by a comma, None where there is none."""
    found = {_read(file) for file in cpus.glob("cpu[0-9]*/cpufreq/scaling_governor")} - {""}
    return ",".join(sorted(found)) or None


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that change speed, as set, but for folders, which may name a person or a host.

    Preloaded libraries keep their file names; any other value that holds a path says only that.
    """
    chosen = {name: value for name, value in sorted(environ.items()) if _VARIABLES.fullmatch(name)}
    return {name: _without_folders(name, value) for name, value in chosen.items()}


def _without_folders(name: str, value: str) -> str:
    if name == "LD_PRELOAD":
        names = " ".join(pathlib.PurePath(library).name for library in re.split(r"[\s:]+", value) if library)
        return printable(names)[:4096]
    return "(a path)" if "/" in value or "\\" in value or "~" in value else printable(value)[:4096]


def parse_torch_build(text: str) -> dict[str, str]:
    """Return the libraries that torch was built with, from the text of ``torch.__config__.show()``."""
    matches = {name: re.search(pattern, text, re.MULTILINE) for name, pattern in _BUILD.items()}
    return {name: match.group(1).strip() for name, match in matches.items() if match}


def tool_version() -> str:
    """Return this tool's version: the installed distribution's, or the checkout's where it is not installed."""
    installed = _version("resnet-bench")
    if installed is not None:
        return installed
    try:
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    except OSError:
        return "unknown"
    return str(project["project"]["version"])


def tool_commit(root: pathlib.Path) -> tuple[str | None, str]:
    """Return the commit of the git checkout whose top is `root`, with ``-dirty`` where tracked files differ from it.

    Without one it is None with the reason; an installed package may lie inside someone else's checkout.
    """
    if not (root / ".git").exists() or not (root / "pyproject.toml").exists():
        return None, "the tool does not run from a git checkout of its own"
    git = shutil.which("git")
    if git is None:
        return None, "git is not installed"
    command = [git, "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    # A git hook, say, points these at another checkout.
    here = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=here)
    if done.returncode:  # what it says may name a folder and so a person
        return None, f"git cannot read the checkout (exit code {done.returncode})"
    return done.stdout.strip(), ""


def _cpu() -> tuple[str | None, tuple[str, ...]]:
    if sys.platform == "darwin":
        return parse_sysctl(_sysctl)
    return parse_cpuinfo(_read(pathlib.Path("/proc/cpuinfo")))


def _sysctl(name: str) -> str | None:
    done = subprocess.run(["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _cgroup(nulls: dict[str, str]) -> tuple[float | None, int | None]:
    reason = "the control group sets no limit" if _membership() else "the system has no control groups"
    cpus, memory = cgroup_limits(cgroup_folders())
    return (
        _or_null(cpus, "cgroup_cpus", reason, nulls),
        _or_null(memory, "cgroup_memory_bytes", reason, nulls),
    )


def _membership() -> str:
    return _read(pathlib.Path("/proc/self/cgroup"))


def _physical_cores() -> int | None:
    import psutil  # noqa: PLC0415

    return psutil.cpu_count(logical=False)


def _memory() -> int:
    import psutil  # noqa: PLC0415

    return psutil.virtual_memory().total


def _os() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else platform.system()


def _torch_build(nulls: dict[str, str]) -> dict[str, str]:
    import torch  # noqa: PLC0415

    cudnn: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    build = {
        **parse_torch_build(torch.__config__.show()),
        "git": torch.version.git_version,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
        "cudnn": None if cudnn is None else str(cudnn),
    }
    for name, value in build.items():
        if value is None:
            nulls[f"torch_build.{name}"] = "torch was built without it"
    return {name: value for name, value in build.items() if value is not None}


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _read(path: pathlib.Path) -> str:
    """Return the file's text without surrounding space, empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _or_null(value: _T | None, name: str, reason: str, nulls: dict[str, str]) -> _T | None:
    if value is None:
        nulls[name] = reason
    return value
