"""Precision and kernels: torch's settings for the promises of a case's labels, and notes on emulation.

`results.schema.labels` has the promises.
"""

import contextlib
import os
from typing import Final

import torch

from bench.machine import cpu
from bench.machine.device_names import device_type, is_cpu
from bench.measure.device import Unsupported
from results.schema.case import Case
from results.schema.labels import LAYOUTS, PROMISES, RUNTIMES, TASKS

_TF32_OVERRIDE: Final = "NVIDIA_TF32_OVERRIDE"
_MIOPEN_NHWC: Final = "PYTORCH_MIOPEN_SUGGEST_NHWC"
"""Variable without which torch gives MIOpen a contiguous copy of each input (ATen/native/ConvUtils.h)."""


def set_tf32(*, on: bool) -> None:
    """Switch TF32 on or off for matrix products and convolutions.

    This sets the older pair of settings on purpose: it changes the newer settings too, whereas setting the newer ones
    makes torch 2.9's compiler raise when it reads the older ones (pytorch issue 166387).
    """
    torch.set_float32_matmul_precision("high" if on else "highest")
    torch.backends.cudnn.allow_tf32 = on


def set_kernels(case: Case) -> None:
    """Choose kernels as the labels of a case promise, whatever ran before in this process.

    This sets TF32, the autotuner of cuDNN or MIOpen, and on AMD's GPUs whether MIOpen has kernels for NHWC.
    """
    set_tf32(on=PROMISES[case.precision].tf32)
    torch.backends.cudnn.benchmark = RUNTIMES[case.runtime].autotune
    if _asks_miopen(case):
        os.environ[_MIOPEN_NHWC] = "1"


def kernel_notes(case: Case) -> tuple[str, ...]:
    """Return what a reader of the case's times should know about its kernels."""
    nhwc = f"MIOpen was asked for its kernels for NHWC ({_MIOPEN_NHWC}=1)" if _asks_miopen(case) else None
    return tuple(filter(None, (emulated(case), nhwc)))


def _asks_miopen(case: Case) -> bool:
    on_amd = torch.version.hip is not None and device_type(case.device) == "cuda"
    return on_amd and LAYOUTS[case.layout] == "channels_last"


def check_precision(case: Case) -> None:
    """Raise `Unsupported`, with the reason, where the device cannot compute in the precision."""
    promise = PROMISES[case.precision]
    if promise.tf32:
        kind = device_type(case.device)
        if kind != "cuda" or torch.version.hip:
            raise Unsupported(
                f"TF32 is a format of NVIDIA GPUs; {case.device} would run {case.precision} as something else"
            )
        capability = torch.cuda.get_device_capability(case.device)
        if capability < (8, 0):
            raise Unsupported(f"TF32 needs compute capability 8.0; {case.device} has {'.'.join(map(str, capability))}")
        if os.environ.get(_TF32_OVERRIDE) == "0":
            raise Unsupported(
                f"{_TF32_OVERRIDE}=0 switches TF32 off inside NVIDIA's libraries, whatever torch says: unset it"
            )
    if promise.weights == "float16" and TASKS[case.task].trains:
        raise Unsupported(
            "fp16 weights cannot be trained with loss scaling (torch's GradScaler refuses fp16 gradients); use amp-fp16"
        )


def emulated(case: Case) -> str | None:
    """Return a note if the hardware has no instructions for the case's dtype and only emulates it, else None."""
    dtype = PROMISES[case.precision].compute
    if dtype == "float32":
        return None
    kind = device_type(case.device)
    if is_cpu(case.device):
        native = cpu.computes_in(dtype)
    elif kind in {"cuda", "xpu"}:
        native = dtype == "float16" or torch.get_device_module(kind).is_bf16_supported(including_emulation=False)
    else:
        native = True
    return None if native else f"{case.device} has no {dtype} arithmetic: it is emulated, and slower than float32"


def autocast(case: Case) -> contextlib.AbstractContextManager[object]:
    """Return the autocast context of the case, which does nothing where the precision has none."""
    name = PROMISES[case.precision].autocast
    if name is None:
        return contextlib.nullcontext()
    return torch.autocast(device_type(case.device), dtype=getattr(torch, name))


def grad_scaler(case: Case) -> torch.amp.GradScaler:
    """Return the loss scaler of the case; it is a pass-through where the precision needs none."""
    enabled = PROMISES[case.precision].grad_scaler and TASKS[case.task].trains
    return torch.amp.GradScaler(device_type(case.device), enabled=enabled)
