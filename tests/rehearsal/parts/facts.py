"""Facts of the machine, raw: `python -m tests.rehearsal.parts.facts DEVICE FILE`.

What the driver answers to every question of the project, or its exception; what torch says of the device; the packages
that are missing. UUIDs and serial numbers are compared and left out.
"""

import contextlib
import ctypes
import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from tests.rehearsal.carried import CARRIED, EXPECTED
from tests.rehearsal.evidence import Missing

LOAD_S: Final = 2.0
_FIELDS: Final = (251, 252, 253, 269, 270, 271)
"""NVML's exact counters of thermal and power slow-down, whose numbers differ between drivers."""
_PRIVATE: Final = ("uuid", "serial", "process", "bus id", "board part", "vbios")
_HEAD: Final = 80

QUESTIONS: Final[dict[str, tuple[tuple[Any, ...], ...]]] = {
    **dict.fromkeys(
        (
            *("Name", "ComputeMode", "MigMode", "PersistenceMode", "EccMode", "PerformanceState", "UtilizationRates"),
            *("EnforcedPowerLimit", "PowerManagementDefaultLimit", "PowerUsage", "TotalEnergyConsumption"),
            *("CurrentClocksEventReasons", "SupportedClocksEventReasons", "CurrentClocksThrottleReasons"),
            *("MaxPcieLinkGeneration", "CurrPcieLinkGeneration", "MaxPcieLinkWidth", "CurrPcieLinkWidth"),
            *("MemoryInfo", "ComputeRunningProcesses", "GraphicsRunningProcesses"),
        ),
        ((),),
    ),
    "ClockInfo": ((0,), (1,), (2,)),
    "MaxClockInfo": ((0,), (1,), (2,)),
    "ApplicationsClock": ((1,), (2,)),
    "Temperature": ((0,),),
    "TemperatureThreshold": ((0,), (1,)),
    "ViolationStatus": tuple((policy,) for policy in (0, 1, 2, 3, 4, 5, 10, 11)),
    "FieldValues": ((list(_FIELDS),),),
}
"""NVML's questions ``nvmlDeviceGet…`` with the arguments of every call."""


def answers(gpu: Any) -> dict[str, Any]:
    """Return what NVML answers to every question, or its exception as text."""
    return {
        " ".join([question, *map(str, arguments)]): _answer(gpu, question, arguments)
        for question, calls in QUESTIONS.items()
        for arguments in calls
    }


def held_share(
    gpu: Any, work: Callable[[], object], seconds: float = LOAD_S, *, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the share of a time of load for which each policy held the clocks down."""
    before, began = gpu.held_s(), clock()
    while clock() - began < seconds:
        work()
    elapsed, after = clock() - began, gpu.held_s()
    return {policy: (after[policy] - before[policy]) / elapsed for policy in before.keys() & after.keys()}


def packages() -> dict[str, str | None]:
    """Return the versions of the packages that the rehearsal uses, None where one is missing."""
    versions: dict[str, str | None] = {}
    for name in (*CARRIED, *EXPECTED):
        versions[name] = None
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def load(device: str) -> Callable[[], object]:
    """Return work that keeps a CUDA device busy."""
    import torch  # noqa: PLC0415 - the other facts must not need it

    square = torch.ones(4096, 4096, device=device)
    return lambda: (square @ square, torch.cuda.synchronize(device))


def torch_facts(device: str) -> dict[str, Any]:
    """Return what torch says of itself and of the device."""
    import torch  # noqa: PLC0415 - the other facts must not need it

    facts: dict[str, Any] = {"version": torch.__version__, "config": torch.__config__.show().splitlines()}
    facts |= {"cuda": torch.version.cuda, "hip": torch.version.hip, "architectures": torch.cuda.get_arch_list()}
    if not device.startswith("cpu"):
        properties = torch.get_device_module(device.partition(":")[0]).get_device_properties(device)
        names = (name for name in dir(properties) if not name.startswith("_") and name != "uuid")
        facts["properties"] = {name: plain(getattr(properties, name)) for name in names}
    return facts


def built_for(architectures: Iterable[str], major: int, minor: int) -> bool:
    """Return whether a build of torch runs on a GPU of a compute capability.

    A binary (``sm_86``) runs on its own and later minor versions, intermediate code (``compute_80``) on all later GPUs.
    """
    for kind, number in re.findall(r"(sm|compute)_(\d+)", " ".join(architectures)):
        built = int(number) // 10, int(number) % 10
        if built <= (major, minor) and (kind == "compute" or built[0] == major):
            return True
    return False


def plain(value: Any) -> Any:
    """Return a value of NVML or torch as JSON knows it."""
    if hasattr(value, "_fields_"):
        return {name: plain(getattr(value, name)) for name, *_ in value._fields_ if "pid" not in name.lower()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, ctypes.Array)):
        return [plain(item) for item in value]
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)


def driver_report(run: Callable[..., Any] = subprocess.run) -> list[str]:
    """Return the first lines of ``nvidia-smi -q`` without what identifies a machine."""
    text = run(["nvidia-smi", "-q"], check=True, capture_output=True, text=True, timeout=20).stdout
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return [line for line in lines if not any(word in line.lower() for word in _PRIVATE)][:_HEAD]


def nvml_facts(device: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the facts that need NVML and a GPU, each with the function that gives it."""
    import torch  # noqa: PLC0415 - the other facts must not need it

    from bench.doctor.gpu import gpu_checks  # noqa: PLC0415 - likewise
    from tests.rehearsal.parts.driver import find  # noqa: PLC0415 - likewise

    major, minor = torch.cuda.get_device_capability(device)
    yield "built_for_this", lambda: int(built_for(torch.cuda.get_arch_list(), major, minor))
    yield "driver_report", driver_report
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    gpu = find(uuid)
    if isinstance(gpu, str):
        raise Missing(gpu)
    yield "nvml", lambda: answers(gpu)
    yield "held_share", lambda: held_share(gpu, load(device))
    yield "same_uuid", lambda: int(uuid in str(gpu.ask("UUID")))
    yield (
        "doctor",
        lambda: [f"{check.name}: {check.state}: {check.seen}" for check in gpu_checks(gpu, torch.version.cuda)],
    )


def collect(device: str) -> dict[str, Any]:
    """Return all facts; a fact that cannot be had has its reason in ``nulls``."""
    facts: dict[str, Any] = {"device": device, "python": sys.version, "nulls": {}}

    def add(name: str, fact: Callable[[], Any]) -> None:
        try:
            facts[name] = fact()
        except Exception as error:  # noqa: BLE001 - one missing fact must not cost the others
            facts["nulls"][name] = f"{type(error).__name__}: {error}"[:500]

    add("packages", packages)
    facts["missing_packages"] = sum(version is None for version in facts["packages"].values())
    add("torch", lambda: torch_facts(device))
    add("environment", environment)
    if device.startswith("cuda"):
        try:
            for name, fact in nvml_facts(device):
                add(name, fact)
        except Exception as error:  # noqa: BLE001 - likewise
            facts["nulls"]["nvml"] = f"{type(error).__name__}: {error}"[:500]
    unanswered = [text for text in facts.get("nvml", {}).values() if str(text).startswith("no answer")]
    facts["unanswered"] = len(unanswered)
    return facts


def environment() -> Any:
    """Return the environment as a run file describes it."""
    import msgspec  # noqa: PLC0415 - the other facts must not need it

    from bench.worker.describe import describe  # noqa: PLC0415 - likewise

    return msgspec.to_builtins(describe())


def _answer(gpu: Any, question: str, arguments: tuple[Any, ...]) -> Any:
    try:
        return plain(gpu.ask(question, *arguments))
    except Exception as error:  # noqa: BLE001 - the exception is the answer
        return f"no answer: {type(error).__name__}: {error}"


def main(device: str, path: str) -> int:
    """Write ``facts.json``."""
    pathlib.Path(path).write_text(json.dumps(collect(device), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
