import warnings

import pytest
import torch

from tests.bench.quantization.quantized import distance, made

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnxruntime is not installed")


def test_the_file_computes_in_8_bits_and_nearly_the_same(tmp_path):
    from bench.quantization.onnx_file import quantize_onnx  # noqa: PLC0415 - it imports an extra

    network, images = made()
    plain, small = tmp_path / "plain.onnx", tmp_path / "small.onnx"
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (images,), plain, input_names=["images"], dynamo=True, external_data=False, verbose=False
        )
        reference = network(images)
        quantize_onnx(plain, small, "images", images)
    (result,) = onnxruntime.InferenceSession(str(small)).run(None, {"images": images.numpy()})
    assert 1e-4 < distance(result, reference) < 0.2
    assert small.stat().st_size < 0.6 * plain.stat().st_size
    assert not (tmp_path / "folded.onnx").exists()
