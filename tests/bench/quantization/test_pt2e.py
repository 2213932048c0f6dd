import warnings

import pytest
import torch

from tests.bench.quantization.quantized import distance, made

pytest.importorskip("torchao", reason="the extra int8 is not installed")


def test_the_graph_computes_in_8_bits_and_nearly_the_same():
    from bench.quantization.pt2e import quantize_module  # noqa: PLC0415 - it imports an extra

    network, images = made()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = network(images)
        quantized = quantize_module(network, images)
        assert 1e-4 < distance(quantized(images), reference) < 0.2
    assert any("qconv" in str(node.target) or "quantize" in str(node.target) for node in quantized.graph.nodes)
