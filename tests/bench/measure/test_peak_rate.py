import itertools

import pytest
import torch

from bench.measure.device import Cpu
from bench.measure.peak_rate import FIRST, measure_peak_rate


class _Told(Cpu):
    """A CPU whose steps take as long as it is told."""

    def __init__(self, step_s):
        self.seconds = lambda _first, _last: step_s()


@pytest.fixture
def products(monkeypatch):
    """The left matrices of all products, none of which is computed."""
    seen = []
    monkeypatch.setattr(torch, "mm", lambda left, _right, out: seen.append(left))
    return seen


def test_the_fastest_product_counts_and_large_ones_end_it(products):
    took = {256: 0.002, 512: 0.004, 1024: 0.05}
    device = _Told(lambda: took[len(products[-1])])
    assert measure_peak_rate(device, "fp32", 1, clock=itertools.count(step=100).__next__) == 2 * 512**3 / 0.004
    assert {len(left) for left in products} == {256, 512, 1024}  # and none beyond the one that took long enough


def test_the_largest_product_is_repeated_until_the_clocks_are_up(products):
    """A GPU whose clocks are up after a quarter of a second of products."""
    device = _Told(lambda: 0.02 if 0.02 * len(products) < 0.25 else 0.01)
    assert measure_peak_rate(device, "fp32", 1, clock=lambda: 0.02 * len(products)) == 2 * FIRST**3 / 0.01


def test_matrices_are_drawn_on_the_device(products, monkeypatch):
    drawn = []
    real = torch.randn
    monkeypatch.setattr(torch, "randn", lambda *size, **options: drawn.append(options["device"]) or real(*size))
    device = _Told(lambda: 0.05)
    device.name = "cpu:0"
    measure_peak_rate(device, "fp32", 1, clock=itertools.count(step=100).__next__)
    assert drawn == ["cpu:0"] * 2


def test_an_emulated_dtype_is_bounded_by_what_computes_it(products):
    device = _Told(lambda: 0.5 if products[-1].dtype == torch.bfloat16 else 0.25)
    assert measure_peak_rate(device, "amp-bf16", 1, clock=itertools.count(step=100).__next__) == 2 * FIRST**3 / 0.25
    assert {left.dtype for left in products} == {torch.bfloat16, torch.float32}


def test_a_real_product_has_a_rate():
    assert measure_peak_rate(Cpu(), "fp32", 1) > 0


def test_what_torch_refuses_is_raised(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("not implemented for 'Half'")

    monkeypatch.setattr(torch, "mm", refuse)
    with pytest.raises(RuntimeError, match="Half"):
        measure_peak_rate(Cpu(), "fp16", 1)
