"""Kill a worker with signal 9 in the middle of a turn: `python -m tests.rehearsal.parts.faults DEVICE FILE [UUID]`.

The parent must see a crash, the next worker of the same server must work, and the device must have its memory back.
"""

import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
from typing import Any, Final

from bench.machine import nvml
from bench.process.client import WorkerClient
from bench.process.forkserver import ForkServer
from bench.process.protocol import Failed
from results.schema.case import Case
from results.schema.lines.run import Settings
from tests.rehearsal.parts.driver import find, used_bytes
from tests.rehearsal.parts.lines import measure

PATIENCE_S: Final = 2.0
"""Seconds in which the driver must give the memory of a killed process back."""
KILL_AFTER_S: Final = 0.3
ENDLESS: Final = 10_000_000
"""Steps of a turn that lasts until the kill."""
_SETTINGS: Final = Settings(replicates=1, target=0.05, budget_s=1.0, timeout_s=60.0, time_limit_s=None)


def kill(device: str, identity: str) -> dict[str, Any]:
    """Return whether the kill was seen as a crash, whether the next worker works, and the memory it left behind."""
    case = Case(
        model="cifar_resnet20",
        task="inference",
        batch_size=8,
        image_size=32,
        device=device,
        precision="fp32",
        runtime="eager",
        layout="nchw",
        threads=1,
    )
    gpu = find(identity)
    with ForkServer() as server, tempfile.TemporaryDirectory() as cache:
        before = used_bytes(gpu)
        worker = WorkerClient(server, case, 0, _SETTINGS)
        worker.prepare(cache)
        live = used_bytes(gpu)
        threading.Timer(KILL_AFTER_S, os.kill, (worker._channel.pid, signal.SIGKILL)).start()
        status = "ok"
        try:
            worker.turn(steps=ENDLESS, drop=0)
        except Failed as failure:
            status = failure.status
        worker.close()
        left = settled(gpu, before)
        survivor = WorkerClient(server, case, 0, _SETTINGS)
        try:
            survivor.prepare(cache)
            steps = len(survivor.turn(steps=3, drop=1).phase_s)
        finally:
            survivor.close()
    values = {"status": status, "crashes": float(status == "crash"), "steps_of_next_worker": steps}
    if before is None or live is None or left is None:
        reason = gpu if isinstance(gpu, str) else "NVML does not report the memory in use"
        return {**values, "nulls": dict.fromkeys(("worker_bytes", "left_bytes"), reason)}
    return {**values, "worker_bytes": live - before, "left_bytes": left - before}


def settled(gpu: nvml.Gpu | str, before: int | None) -> int | None:
    """Return the bytes in use as soon as they are as `before`, or after `PATIENCE_S`."""
    until = time.monotonic() + PATIENCE_S
    used = used_bytes(gpu)
    while used is not None and before is not None and used > before and time.monotonic() < until:
        time.sleep(0.02)
        used = used_bytes(gpu)
    return used


def main(device: str, path: str, identity: str = "") -> int:
    """Append a line to ``physics.jsonl``."""
    measure(pathlib.Path(path), "kill", lambda: kill(device, identity))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
