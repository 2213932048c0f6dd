"""Throughput as timm's `benchmark.py` measures it, by a loop that shares no code with the harness.

Wall clock, a synchronisation after each step, synthetic data, `torch.no_grad`, autocast. With ``--autotune on`` cuDNN
tries its algorithms, as timm's script and most recipes of training have it; torch's own default is off.

    python -m tests.rehearsal.parts.timm_like FILE NAME --device cuda:0 --model resnet50 --batch-size 256 --autotune on
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import torch

import resnet
from tests.rehearsal.parts.lines import measure

AUTOCAST: Final = {"amp-fp16": torch.float16, "fp32": None}
"""Autocast's dtype by the name of a precision."""
WARM_STEPS: Final = 10


def throughput(options: argparse.Namespace, *, clock: Callable[[], float] = time.perf_counter) -> dict[str, Any]:
    """Return images a second by the wall clock, the median seconds of a step, and the peak of allocated bytes."""
    torch.backends.cudnn.benchmark = options.autotune == "on"
    device = torch.device(options.device)
    network = resnet.create(options.model).to(device, memory_format=torch.channels_last)
    network.train(options.task == "training")
    shape = (options.batch_size, 3, options.image_size, options.image_size)
    images = torch.randn(shape, device=device).contiguous(memory_format=torch.channels_last)
    step = training(network, images, options) if options.task == "training" else inference(network, images, options)
    accelerated = device.type != "cpu"

    def wait() -> None:
        if accelerated:
            torch.accelerator.synchronize(device)

    for _ in range(WARM_STEPS):
        step()
    wait()
    if accelerated:
        torch.accelerator.memory.reset_peak_memory_stats(device)
    seconds: list[float] = []
    began = clock()
    while clock() - began < options.seconds:
        start = clock()
        step()
        wait()
        seconds.append(clock() - start)
    return {
        "images_per_s": options.batch_size * len(seconds) / sum(seconds),
        "step_s": statistics.median(seconds),
        "steps": len(seconds),
        "peak_allocated_bytes": torch.accelerator.memory.max_memory_allocated(device) if accelerated else None,
        "nulls": {} if accelerated else {"peak_allocated_bytes": "the CPU has no device memory"},
    }


def inference(network: torch.nn.Module, images: torch.Tensor, options: argparse.Namespace) -> Callable[[], object]:
    """Return a forward pass."""
    cast = _autocast(images.device, options.precision)

    def step() -> object:
        with torch.no_grad(), cast():
            return network(images)

    return step


def training(network: torch.nn.Module, images: torch.Tensor, options: argparse.Namespace) -> Callable[[], object]:
    """Return a step of SGD with loss scaling where the precision is fp16."""
    cast = _autocast(images.device, options.precision)
    loss_of = torch.nn.CrossEntropyLoss()
    labels = torch.zeros(len(images), dtype=torch.long, device=images.device)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    scaler = torch.amp.GradScaler(images.device.type, enabled=AUTOCAST[options.precision] is not None)

    def step() -> object:
        optimizer.zero_grad(set_to_none=True)
        with cast():
            loss = loss_of(network(images), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return None

    return step


def _autocast(device: torch.device, precision: str) -> Callable[[], contextlib.AbstractContextManager[object]]:
    dtype = AUTOCAST[precision]
    return contextlib.nullcontext if dtype is None else lambda: torch.autocast(device.type, dtype=dtype)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal.parts.timm_like", description=__doc__)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("name")
    parser.add_argument("--device", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", choices=["inference", "training"], default="inference")
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--precision", choices=sorted(AUTOCAST), default="amp-fp16")
    parser.add_argument("--autotune", choices=["on", "off"], required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Append a line to ``physics.jsonl``."""
    options = parsed(arguments)
    measure(options.file, options.name, lambda: throughput(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
