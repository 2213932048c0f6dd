import warnings

import pytest
import torch

from tests.bench.quantization.quantized import distance, made

openvino = pytest.importorskip("openvino", reason="the extra openvino is not installed")
pytest.importorskip("nncf", reason="the extra int8 is not installed")


def test_the_model_computes_in_8_bits_and_nearly_the_same():
    from bench.quantization.openvino_model import quantize_openvino  # noqa: PLC0415 - it imports an extra

    network, images = made()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = network(images)
        model = openvino.convert_model(torch.export.export(network, (images,)))
        model.reshape(list(images.shape))
        quantized = quantize_openvino(model, images)
    compiled = openvino.Core().compile_model(quantized, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert 1e-4 < distance(compiled(images.numpy())[0], reference) < 0.2
