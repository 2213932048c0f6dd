"""Static quantization to 8 bits after training, by the tools of each engine; weights signed, activations unsigned.

The scales of activations come from calibration images: those in the input of the case when its program is built. The
images and weights of a timed case are random, and its time does not depend on scales; `bench.validate.agreement`
calibrates a trained network on real images.

Without VNNI a CPU adds pairs of products in 16 bits, which saturates: one side then has 7 bits, as each tool advises.
"""

from typing import Final

from bench.machine.cpu import cpu_flags

WIDE_SUMS: Final = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})
"""Instruction sets that add products of 8 bits in 32 bits."""


def saturates() -> bool:
    """Return whether sums of products may saturate on this CPU, so that a side needs a smaller range."""
    return not WIDE_SUMS & set(cpu_flags())
