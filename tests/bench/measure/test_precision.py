import pytest
import torch

from bench.measure import precision


def test_tf32_is_switched_for_products_and_convolutions_alike():
    for on in (True, False):
        precision.set_tf32(on=on)
        assert torch.backends.cuda.matmul.allow_tf32 is on
        assert torch.backends.cudnn.allow_tf32 is on


@pytest.mark.parametrize(
    ("flags", "label", "expected"),
    [
        (["avx2"], "fp32", None),
        (["avx2"], "amp-bf16", "emulated"),
        (["avx512_bf16"], "amp-bf16", None),
        (["amx_bf16"], "bf16", None),
        (["avx512_bf16"], "fp16", "emulated"),
        (["bf16", "asimdhp"], "bf16", None),
    ],
)
def test_emulation_is_told_by_the_flags_of_the_cpu(make_case, monkeypatch, flags, label, expected):
    monkeypatch.setattr("bench.machine.cpu.cpu_flags", lambda: tuple(flags))
    note = precision.emulated(make_case(precision=label))
    assert note is None if expected is None else expected in note
