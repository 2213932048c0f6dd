import pytest

from bench.machine import cpu
from bench.quantization import saturates


@pytest.mark.parametrize(
    ("flags", "narrow"),
    [(("avx2",), True), (("avx2", "avx512_vnni"), False), (("avx_vnni",), False), (("asimddp",), False)],
)
def test_sums_saturate_where_the_cpu_adds_in_16_bits(monkeypatch, flags, narrow):
    monkeypatch.setattr(cpu, "cpu_flags", lambda: flags)
    assert saturates() is narrow
