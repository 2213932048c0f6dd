"""The machine and the software of a run, without host, user or folder names.

`without_torch` describes this machine; the worker adds the facts that torch knows.
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
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import psutil

from bench.machine import cpu
from bench.machine.cgroup import cgroup_folders, cgroup_limits, membership_text
from results.text import printable

_VARIABLES: Final = re.compile(
    r"(OMP|KMP|GOMP|MKL|ONEDNN|DNNL|OPENBLAS|VECLIB|MALLOC|TORCHINDUCTOR|TORCHDYNAMO|TRITON|CUDNN|NVIDIA_TF32)_\w+"
    r"|CUDA_(VISIBLE_DEVICES|LAUNCH_BLOCKING|MODULE_LOADING|DEVICE_ORDER|DEVICE_MAX_CONNECTIONS)"
    r"|CUDA_((MPS|CACHE)_\w+|FORCE_PTX_JIT|DISABLE_PTX_JIT)|TORCH_USE_CUDA_DSA|CUBLAS(LT)?_\w+"
    r"|(HIP|HIPBLASLT|HSA|MIOPEN|ROCR|ROCBLAS|PYTORCH_(MIOPEN|TUNABLEOP))_\w+|AMD_SERIALIZE_\w+|GPU_MAX_HW_QUEUES"
    r"|(ONEAPI|SYCL|UR|ZE)_\w+|PYTORCH_NO_(CUDA_|HIP_|XPU_)?MEMORY_CACHING"
    r"|PYTORCH_(CUDA_|HIP_|MPS_)?ALLOC_CONF|PYTORCH_ENABLE_MPS_FALLBACK|PYTORCH_MPS_\w+"
    r"|TORCH_(COMPILE_\w+|ALLOW_TF32_CUBLAS_OVERRIDE|CUDNN_\w+|BLAS_\w+|LINALG_\w+)"
    r"|ATEN_CPU_CAPABILITY|CXX|LD_PRELOAD"
)

_ROOT: Final = pathlib.Path(__file__).resolve().parents[2]
_T = TypeVar("_T")
_ELSEWHERE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


def without_torch(nulls: dict[str, str]) -> dict[str, Any]:
    """Return the fields of `Environment` that need no torch, and add the reason of each missing field to `nulls`."""
    name, flags = cpu.name_and_flags()
    cgroup_cpus, cgroup_memory = _cgroup(nulls)
    commit, no_commit = tool_commit(_ROOT)
    return {
        "cpu": name or platform.machine(),
        "cpu_flags": flags,
        "physical_cores": _or_null(cpu.physical_cores(), "physical_cores", "the system does not report it", nulls),
        "logical_cores": os.cpu_count() or 1,
        "usable_cores": cpu.usable_cores(),
        "governor": _or_null(
            cpu.governor(), "governor", "the system has no frequency governor that can be read", nulls
        ),
        "cgroup_cpus": cgroup_cpus,
        "cgroup_memory_bytes": cgroup_memory,
        "memory_bytes": psutil.virtual_memory().total,
        "os": _os(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "variables": variables(os.environ),
        "torchvision": _or_null(_version("torchvision"), "torchvision", "not installed", nulls),
        "tool_version": tool_version(),
        "tool_commit": _or_null(commit, "tool_commit", no_commit, nulls),
    }


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that change speed, without folders, which may name a person or a host.

    Preloaded libraries keep their file names; any other value with a path is replaced.
    """
    chosen = {name: value for name, value in sorted(environ.items()) if _VARIABLES.fullmatch(name)}
    return {name: _without_folders(name, value) for name, value in chosen.items()}


def _without_folders(name: str, value: str) -> str:
    if name == "LD_PRELOAD":
        names = " ".join(pathlib.PurePath(library).name for library in re.split(r"[\s:]+", value) if library)
        return printable(names)[:4096]
    return "(a path)" if "/" in value or "\\" in value or "~" in value else printable(value)[:4096]


def tool_version() -> str:
    """Return the version of the installed distribution, or of the checkout where it is not installed."""
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

    Without a checkout it is None with the reason; an installed package may lie inside another project's checkout.
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


def _cgroup(nulls: dict[str, str]) -> tuple[float | None, int | None]:
    reason = "the control group sets no limit" if membership_text() else "the system has no control groups"
    cpus, memory = cgroup_limits(cgroup_folders())
    return (
        _or_null(cpus, "cgroup_cpus", reason, nulls),
        _or_null(memory, "cgroup_memory_bytes", reason, nulls),
    )


def _os() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else platform.system()


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _or_null(value: _T | None, name: str, reason: str, nulls: dict[str, str]) -> _T | None:
    if value is None:
        nulls[name] = reason
    return value
