"""How far a result may be from fp64 and still be equal.

Two laws were measured on twelve networks, on the CPU:

- Logits and loss err in proportion to the dtype's epsilon; the baseline's own error says how much this network
  amplifies it. In fp32 honest runs stayed within 1.5 times that error, in lower precisions within 3.6 epsilons.
- Gradients err about with its root: a rounding that carries a unit past zero flips its ReLU and switches a gradient on
  or off as a whole. Honest ones were off by up to 0.7 % in fp32, 21 % in fp16 and 54 % in bf16.
"""

from typing import Final

from results.schema.case import Case
from results.schema.labels import PROMISES

MULTIPLE: Final = 5.0
"""How many times the baseline's own error, or two epsilons, a value in fp32 may be off."""
LOWER: Final = (3.0, 12.0)
"""How many epsilons a value in a lower precision may be off: twice as many as the baseline is, within these bounds."""
GRADIENT: Final = 2.0**-6
"""How far a gradient in fp32 may be off."""
LOWER_GRADIENT: Final = 0.9
"""How far one in a lower precision may be off: one of zeros is off by 1, one of other images by about 1.4."""
EPSILON: Final = {"float32": 2.0**-23, "tf32": 2.0**-10, "float16": 2.0**-10, "bfloat16": 2.0**-7}

RESULTS: Final = frozenset({"output", "loss"})
"""Names of the values that are no gradient."""


def allowances(case: Case, errors: dict[str, float]) -> dict[str, float]:
    """Return the error up to which each value is equal, from the baseline's errors.

    Gradients that the baseline itself cannot tell (those that are zero but for rounding) are left out.
    """
    promise = PROMISES[case.precision]
    epsilon = EPSILON["tf32" if promise.tf32 else promise.compute]
    single = epsilon == EPSILON["float32"]
    allowed = {}
    for name, error in errors.items():
        result = name in RESULTS
        if result and single:
            allowed[name] = MULTIPLE * max(error, 2 * epsilon)
        elif result:
            allowed[name] = epsilon * min(LOWER[1], max(LOWER[0], 2 * error / EPSILON["float32"]))
        elif MULTIPLE * error < LOWER_GRADIENT:
            allowed[name] = max(MULTIPLE * error, GRADIENT) if single else LOWER_GRADIENT
    return allowed
