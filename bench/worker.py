"""What a fresh process does: build one case, run turns of it when asked, say what it saw, and end.

It answers one JSON line to each JSON line and never speaks first. An exception becomes an answer with a status, so
that the parent can tell an unsupported setting from an out-of-memory from a mistake.
"""

import dataclasses
import gc
import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from bench import memory, precision
from bench.device import Accelerator, Cpu, Unsupported, first_line, open_device, resolve
from bench.timing import time_turn
from bench.workload import Workload, build
from results.errors import InputError
from results.schema import Case


class CaseWorker:
    """The worker's state: at most one case, built by `prepare`."""

    case: Case
    workload: Workload
    device: Cpu | Accelerator

    def __init__(self) -> None:
        self._resident_at_start = memory.resident_now()
        self.answers: dict[str, Callable[..., dict[str, Any]]] = {
            "describe": self.describe,
            "static": self.static,
            "prepare": self.prepare,
            "turn": self.turn,
            "footprint": self.footprint,
            "finish": self.finish,
        }

    def describe(self, device: str) -> dict[str, Any]:
        """Say what the machine is, and what `device` is called on it."""
        from bench.environment import describe  # noqa: PLC0415

        return {"device": resolve(device), "environment": dataclasses.asdict(describe())}

    def static(self, model: str, image_size: int) -> dict[str, Any]:
        """Count a model without timing it."""
        from bench.costs import cost  # noqa: PLC0415

        return {"static": dataclasses.asdict(cost(model, image_size=image_size))}

    def prepare(self, case: dict[str, Any], cache: str) -> dict[str, Any]:
        """Build the case and run its first step, which compiles where the runtime does.

        `cache` is an empty private folder for the compiler's artefacts.
        """
        self.case = Case(**case)
        if self.case.runtime != "eager":
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
            import torch._dynamo  # noqa: PLC0415 - imported before the clock starts
            import torch._inductor.compile_fx  # noqa: F401, PLC0415
        self.device = open_device(self.case.device)
        self.workload = build(self.case)
        self.device.synchronize()
        began = time.perf_counter()
        self.workload.step(_ignore)
        self.device.synchronize()
        first_step_s = time.perf_counter() - began
        gc.collect()
        gc.freeze()  # what the model is made of need not be walked again while it is timed
        note = precision.emulated(self.case)
        notes = [note] if note else []
        return {"first_step_s": first_step_s, "phases": self.workload.phases, "notes": notes}

    def turn(self, steps: int, drop: int) -> dict[str, Any]:
        """Run one turn."""
        turn = time_turn(self.workload.step, self.device, steps=steps, drop=drop)
        return {"phase_s": turn.phase_s, "wall_s": turn.wall_s}

    def footprint(self) -> dict[str, Any]:
        """Say what memory this worker has taken at its peak, and what its accelerator has left."""
        host = max(1, memory.resident_peak() - self._resident_at_start)
        if isinstance(self.device, Cpu):
            return {"host_bytes": host, "device_bytes": None, "device_free_bytes": None}
        reserved, free = self.device.peak_memory().reserved, self.device.free_memory()
        return {"host_bytes": host, "device_bytes": reserved, "device_free_bytes": free}

    def finish(self) -> dict[str, Any]:
        """Report what was measured once, and what really ran."""
        facts: dict[str, int | None] = {}
        nulls: dict[str, str] = {}
        if isinstance(self.device, Accelerator):
            peak = self.device.peak_memory()
            facts |= {"peak_allocated_bytes": peak.allocated, "peak_reserved_bytes": peak.reserved}
            nulls["peak_resident_bytes"] = "of interest on the CPU only"
            if peak.reason:
                nulls |= dict.fromkeys(("peak_allocated_bytes", "peak_reserved_bytes"), peak.reason)
        else:
            facts["peak_resident_bytes"] = max(0, memory.resident_peak() - self._resident_at_start)
            reason = "the CPU has no device memory"
            nulls |= dict.fromkeys(("peak_allocated_bytes", "peak_reserved_bytes"), reason)
        if self.case.runtime == "eager":
            nulls |= dict.fromkeys(("graph_breaks", "compile_s"), "nothing is compiled")
        else:
            from torch._dynamo.utils import counters  # noqa: PLC0415

            facts["graph_breaks"] = sum(counters["graph_break"].values())
        return {"facts": facts, "nulls": nulls, "ran": dataclasses.asdict(self.workload.observe())}


def serve(connection: socket.socket) -> None:
    """Answer requests on `connection` until it closes."""
    worker = CaseWorker()
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            request = json.loads(line)
            try:
                answer = worker.answers[request.pop("do")](**request)
            except Exception as error:  # noqa: BLE001 - whatever went wrong is the answer
                plain = isinstance(error, (InputError, Unsupported))  # written for people
                cause = first_line(error) if plain else f"{type(error).__name__}: {first_line(error)}"
                answer = {"failed": classify(error), "cause": cause}
            connection.sendall(json.dumps(answer).encode() + b"\n")


def classify(error: BaseException) -> str:
    """Name the status of a record whose worker raised `error`."""
    import torch  # noqa: PLC0415

    text = f"{type(error).__name__}: {error}"
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in text:
        return "out-of-memory"
    missing_compiler = "InvalidCxxCompiler" in text or "TritonMissing" in text
    if isinstance(error, (Unsupported, NotImplementedError)) or missing_compiler or "not implemented for" in text:
        return "unsupported"
    return "error"


def _ignore() -> None:
    """Stand in for a mark: the first step is timed as a whole."""
