"""The largest error against fp64 with which a result counts as equal.

Two laws were measured on twelve networks, on the CPU:

- The error of logits and loss is proportional to the dtype's epsilon; the baseline's own error shows how much the
  network amplifies it. In fp32 correct runs had at most 1.5 times that error, in lower precisions at most 3.6 epsilons.
- The error of gradients grows about with the root of epsilon: a rounding that moves a unit past zero flips its ReLU and
  switches a gradient on or off as a whole. Correct gradients had errors of up to 0.7 % in fp32, 21 % in fp16 and 54 %
  in bf16.
"""

from typing import Final

from results.schema.case import Case
from results.schema.labels import PROMISES

MULTIPLE: Final = 5.0
"""Allowed error of a value in fp32, in multiples of the baseline's own error or of two epsilons."""
MOST: Final = 2.0**-13
"""The largest error of a baseline in fp32 that counts as rounding, a thousand epsilons: a library that computes in a
lower precision must not excuse the other cases."""
LOWER: Final = (3.0, 12.0)
"""Bounds of the allowed error of a value in a lower precision, in epsilons: twice the baseline's error between them."""
GRADIENT: Final = 2.0**-6
"""Allowed error of a gradient in fp32."""
LOWER_GRADIENT: Final = 0.9
"""Allowed error of a gradient in a lower precision: gradients of zeros have an error of 1, of other images 1.4."""
EPSILON: Final = {"float32": 2.0**-23, "tf32": 2.0**-10, "float16": 2.0**-10, "bfloat16": 2.0**-7, "int8": 2.0**-6}

OUTPUTS: Final = ("output", "mask")
"""Names of what a network puts out: the first is all, but for a segmenter."""
RESULTS: Final = frozenset({*OUTPUTS, "loss"})
"""Names of the values that are not gradients."""


def allowances(case: Case, errors: dict[str, float]) -> dict[str, float]:
    """Return the allowed error of each value, from the baseline's errors.

    Gradients that the baseline itself does not determine (zero up to rounding) are left out.
    """
    promise = PROMISES[case.precision]
    epsilon = EPSILON["tf32" if promise.tf32 else promise.compute]
    single = epsilon == EPSILON["float32"]
    allowed = {}
    for name, error in errors.items():
        result = name in RESULTS
        if result and single:
            allowed[name] = MULTIPLE * max(min(error, MOST), 2 * epsilon)
        elif result:
            allowed[name] = epsilon * min(LOWER[1], max(LOWER[0], 2 * error / EPSILON["float32"]))
        elif MULTIPLE * error < LOWER_GRADIENT:
            allowed[name] = max(MULTIPLE * error, GRADIENT) if single else LOWER_GRADIENT
    return allowed
