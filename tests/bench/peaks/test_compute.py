import torch

from bench.measure.device import open_device
from bench.peaks.compute import peak_products


def test_products_are_in_the_precision_and_count_their_flops(monkeypatch):
    monkeypatch.setattr("bench.peaks.compute.MATRICES", (8, 16))
    monkeypatch.setattr("bench.peaks.compute.CONVOLUTIONS", ((2, 4, 6),))
    made = [(operator, make()) for operator, make in peak_products(open_device("cpu"), "bf16")]
    assert [(operator, product.size, product.flops) for operator, product in made] == [
        ("matmul", "8x8", 2 * 8**3),
        ("matmul", "16x16", 2 * 16**3),
        ("convolution", "2x4x6x6, 4x4x3x3, nchw", 2 * 2 * 4 * 36 * 4 * 9),
        ("convolution", "2x4x6x6, 4x4x3x3, nhwc", 2 * 2 * 4 * 36 * 4 * 9),
    ]
    for _, product in made:
        assert product.step(None).dtype == torch.bfloat16
