"""Keep execution traces of steps: `python -m tests.rehearsal.parts.traces DEVICE FILE FOLDER RUNTIME…`.

A trace of a real device is what the observation of what ran (`bench.validate.ran`) can be tested on ever after.
"""

import functools
import json
import pathlib
import sys
from typing import Any

import torch

from bench.machine.device_names import is_cpu
from bench.tasks.workload import build
from bench.validate.ran import layout, products, trace
from results.schema.case import Case
from tests.rehearsal.parts.lines import measure


def keep(device: str, runtime: str, folder: pathlib.Path) -> dict[str, Any]:
    """Write a trace into `folder`, and return how many convolutions it names and their memory format."""
    case = Case(
        model="cifar_resnet20",
        task="inference",
        batch_size=8 if is_cpu(device) else 128,
        image_size=32,
        device=device,
        precision="fp32",
        runtime=runtime,
        layout="nhwc",
        threads=torch.get_num_threads(),
    )
    cache = folder / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    workload = build(case, cache=cache)
    with workload.context():
        for _ in range(3):  # a CUDA graph is recorded in the second step
            workload.step(_ignore)
    nodes = trace(workload, _ignore)
    (folder / f"{runtime.replace(':', '-')}.json").write_text(json.dumps({"nodes": nodes}), encoding="utf-8")
    convolutions, _ = products(nodes)
    return {"convolutions": len(convolutions), "nodes": len(nodes), "layout": layout(convolutions)}


def _ignore() -> None:
    """Stand in for a mark, and for a look at torch's state."""


def main(device: str, path: str, folder: str, *runtimes: str) -> int:
    """Append a line to ``physics.jsonl`` for each runtime."""
    for runtime in runtimes:
        measure(pathlib.Path(path), f"trace/{runtime}", functools.partial(keep, device, runtime, pathlib.Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
