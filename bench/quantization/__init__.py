"""Static quantization to 8 bits after training, by the tools of each engine.

The scales of activations come from calibration images: those in the input of the case when its program is built. The
images and weights of a timed case are random, and its time does not depend on scales; `bench.validate.agreement`
calibrates a trained network on real images.

Without VNNI a CPU adds pairs of products in 16 bits, which saturates: one side then has 7 bits, as each tool advises.
"""

from bench.machine.cpu import computes_in


def saturates() -> bool:
    """Return whether sums of products may saturate on this CPU, so that a side needs a smaller range."""
    return not computes_in("int8")
