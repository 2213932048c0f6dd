"""What a fresh process does: build one case, run turns of it when asked, say what it saw, and end.

It answers one JSON line to each JSON line and never speaks first. An exception becomes an answer with a status, so
that the parent can tell an unsupported setting from an out-of-memory from a mistake.
"""

import gc
import json
import os
import pathlib
import re
import socket
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bench.machine import memory
from bench.measure import precision
from bench.measure.device import Device, Unsupported, first_line, open_device, resolve
from bench.measure.timing import time_turn
from bench.tasks.workload import Workload, build
from bench.validate.ran import observe
from results.errors import InputError
from results.schema.case import Case

PROTOCOL: Final = 1
"""Version of what is said between a worker and its parent, which may come from two checkouts."""
_REFERENCE: Final = 3
"""Memory of a training step in fp64, with a baseline after it, in multiples of the case's own: an accelerator raises
where it has too little, the host kills."""
_OUT_OF_MEMORY: Final = re.compile(
    r"out of memory|OutOfMemoryError|can't allocate memory|CUBLAS_STATUS_ALLOC_FAILED|std::bad_alloc", re.IGNORECASE
)
_UNSUPPORTED: Final = re.compile(
    r"not implemented for|InvalidCxxCompiler|TritonMissing|GPUTooOldForTriton|torch\.compile is not supported"
)


class CaseWorker:
    """The worker's state: at most one case, built by `prepare`."""

    case: Case
    workload: Workload
    device: Device
    token: str | None = None

    def __init__(
        self,
        open_device: Callable[[str], Device] = open_device,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Begin; `open_device` finds the device of a case by its name, `clock` tells seconds."""
        self._open_device = open_device
        self._clock = clock
        self._resident_at_start = memory.resident_now()
        self.answers: dict[str, Callable[..., dict[str, Any]]] = {
            "describe": self.describe,
            "static": self.static,
            "peak": self.peak,
            "prepare": self.prepare,
            "turn": self.turn,
            "footprint": self.footprint,
            "finish": self.finish,
            "check": self.check,
        }

    def describe(self, devices: list[str]) -> dict[str, Any]:
        """Say what the machine is, and what each of `devices` is called on it."""
        from bench.machine.software import describe  # noqa: PLC0415

        names = [resolve(device) for device in devices]
        return {"protocol": PROTOCOL, "devices": names, "environment": msgspec.to_builtins(describe())}

    def static(self, model: str, image_size: int) -> dict[str, Any]:
        """Count a model without timing it."""
        from bench.costs.static import cost  # noqa: PLC0415

        return {"static": msgspec.to_builtins(cost(model, image_size=image_size))}

    def peak(self, device: str, precision: str, threads: int) -> dict[str, Any]:
        """Find out how fast a device multiplies matrices."""
        from bench.measure.peak_rate import measure  # noqa: PLC0415

        return {"flops_per_s": measure(self._open_device(device), precision, threads, clock=self._clock)}

    def prepare(self, case: dict[str, Any], cache: str, token: str) -> dict[str, Any]:
        """Build the case and run its first step, which compiles where the runtime does.

        `cache` is a private folder for the compiler's artefacts. `token` comes back in every answer from here on: it
        proves whose answer it is.
        """
        self.token = token
        self.case = Case(**case)
        if self.case.runtime != "eager":
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
            os.environ["TRITON_CACHE_DIR"] = os.path.join(cache, "triton")  # noqa: PTH118 - the user's may be warm
            import torch._dynamo  # noqa: PLC0415 - imported before the clock starts
            import torch._inductor.compile_fx  # noqa: F401, PLC0415
        self.device = self._open_device(self.case.device)
        self.workload = build(self.case)
        self.device.synchronize()
        began = self._clock()
        with self.workload.context():
            self.workload.step(_ignore)
        self.device.synchronize()
        first_step_s = self._clock() - began
        self._compilations = self._compiled()
        gc.collect()
        gc.freeze()  # what the model is made of need not be walked again while it is timed
        note = precision.emulated(self.case)
        notes = [note] if note else []
        return {"first_step_s": first_step_s, "phases": self.workload.phases, "notes": notes}

    def turn(self, steps: int, drop: int) -> dict[str, Any]:
        """Run one turn."""
        with self.workload.context():
            turn = time_turn(self.workload.step, self.device, steps=steps, drop=drop, clock=self._clock)
        return {"phase_s": turn.phase_s, "wall_s": turn.wall_s}

    def footprint(self) -> dict[str, Any]:
        """Say what memory this worker has taken at its peak, and what its device has left."""
        return {
            "host_bytes": max(1, memory.resident_peak() - self._resident_at_start),
            "device_bytes": self.device.peak_memory().reserved,
            "device_free_bytes": self.device.free_memory(),
        }

    def finish(self) -> dict[str, Any]:
        """Report what was measured once, and what really ran."""
        peak = self.device.peak_memory()
        facts: dict[str, int | None] = {
            "peak_allocated_bytes": peak.allocated,
            "peak_reserved_bytes": peak.reserved,
            "peak_resident_bytes": max(0, memory.resident_peak() - self._resident_at_start),
        }
        nulls: dict[str, str] = {}
        notes: list[str] = []
        if peak.reason:
            nulls |= dict.fromkeys(("peak_allocated_bytes", "peak_reserved_bytes"), peak.reason)
        if self.case.device != "cpu":
            facts["peak_resident_bytes"] = None
            nulls["peak_resident_bytes"] = "the work is in the accelerator's memory"
        if self.case.runtime == "eager":
            nulls |= dict.fromkeys(("graph_breaks", "compile_s", "recompiles"), "nothing is compiled")
        else:
            from torch._dynamo.utils import counters  # noqa: PLC0415

            facts["graph_breaks"] = sum(counters["graph_break"].values())
            facts["recompiles"] = self._compiled() - self._compilations
            if skips := counters["inductor"]["cudagraph_skips"]:
                notes.append(f"CUDA graphs were skipped {skips} times: those parts ran as plain compile")
        ran = None
        try:
            seen, unseen = observe(self.case, self.workload)
            ran = msgspec.to_builtins(seen)
        except Exception as error:  # noqa: BLE001 - a look at the work must not cost what was measured
            unseen = f"could not be observed: {first_line(error)}"
        if unseen:
            nulls["ran"] = unseen
        return {"facts": facts, "nulls": nulls, "notes": notes, "ran": ran}

    def check(self, folder: str) -> dict[str, Any]:
        """Compare what the case computes with fp64; nothing can be timed after it.

        `folder` is private, and the same for the cases that share a baseline: they share its reference there.
        """
        from bench.validate import equality  # noqa: PLC0415

        need = _REFERENCE * max(1, memory.resident_peak() - self._resident_at_start)
        if self.case.device == "cpu" and self.case.task == "training" and need > memory.available():
            raise equality.Incomparable(f"its fp64 reference may need {need} bytes, which are not free")
        return {"equality": msgspec.to_builtins(equality.check(self.case, self.workload, pathlib.Path(folder)))}

    def _compiled(self) -> int:
        """Graphs that dynamo has compiled in this process; each recompilation is one more."""
        if self.case.runtime == "eager":
            return 0
        from torch._dynamo.utils import counters  # noqa: PLC0415

        return int(counters["stats"]["unique_graphs"])


def serve(connection: socket.socket, worker: CaseWorker | None = None) -> None:
    """Answer requests on `connection` until it closes."""
    worker = worker or CaseWorker()
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            request = json.loads(line)
            try:
                answer = worker.answers[request.pop("do")](**request)
            except Exception as error:  # noqa: BLE001 - whatever went wrong is the answer
                plain = isinstance(error, (InputError, Unsupported))  # written for people
                cause = first_line(error) if plain else f"{type(error).__name__}: {first_line(error)}"
                answer = {"failed": classify(error), "cause": cause}
            connection.sendall(json.dumps(answer | {"token": worker.token}).encode() + b"\n")


def classify(error: BaseException) -> str:
    """Name the status of a record whose worker raised `error`; compilers wrap what they met in their own errors."""
    import torch  # noqa: PLC0415

    text = f"{type(error).__name__}: {error}"
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or _OUT_OF_MEMORY.search(text):
        return "out-of-memory"
    if isinstance(error, (Unsupported, NotImplementedError)) or _UNSUPPORTED.search(text):
        return "unsupported"
    return "error"


def _ignore() -> None:
    """Stand in for a mark: the first step is timed as a whole."""
