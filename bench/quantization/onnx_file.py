"""ONNX Runtime's quantization: a file of ONNX becomes another with pairs of QuantizeLinear and DequantizeLinear."""

import pathlib
from typing import Any

import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from bench.quantization import saturates


class _Reader(CalibrationDataReader):  # type: ignore[misc] # the package has no types
    """Gives the calibration images once."""

    def __init__(self, name: str, images: torch.Tensor) -> None:
        self._batches = iter([{name: images.cpu().numpy().copy()}])

    def get_next(self) -> dict[str, Any] | None:
        """Return the next batch, None after the last."""
        return next(self._batches, None)


def quantize_onnx(source: pathlib.Path, target: pathlib.Path, name: str, images: torch.Tensor) -> None:
    """Write the quantized network of the file `source` into `target`.

    Args:
        source: a network in fp32.
        target: file of the quantized network.
        name: name of the input.
        images: calibration images (batch, channels, height, width).
    """
    folded = target.with_name("folded.onnx")
    quant_pre_process(str(source), str(folded), skip_symbolic_shape=True)  # batch norms become part of convolutions
    quantize_static(
        str(folded),
        str(target),
        _Reader(name, images),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=saturates(),
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    folded.unlink()
