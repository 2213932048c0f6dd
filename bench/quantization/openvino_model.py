"""NNCF's quantization of OpenVINO's models."""

import contextlib
import io
import logging
from typing import Any

import nncf
import torch

from bench.quantization import saturates


def quantize_openvino(model: Any, images: torch.Tensor) -> Any:
    """Return the quantized model.

    Args:
        model: a model of OpenVINO in fp32.
        images: calibration images (batch, channels, height, width), which is the shape of the model's input.
    """
    nncf.set_log_level(logging.ERROR)
    overflow = nncf.OverflowFix.ENABLE if saturates() else nncf.OverflowFix.DISABLE
    with contextlib.redirect_stdout(io.StringIO()):  # its bars of progress, whatever its level of logging
        return nncf.quantize(
            model,
            nncf.Dataset([images.numpy().copy()]),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=1,
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=overflow),
        )
