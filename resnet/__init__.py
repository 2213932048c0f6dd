"""The ResNet family: `VARIANTS` to read, `create` to make one, `ResNetConfig` to make one of your own.

`Classifier` is a network with names for its classes: it is trained, asked, evaluated, saved and loaded.
`detector` and `segmenter` make networks with other heads than a classifier.

Example:
    >>> import resnet
    >>> resnet.VARIANTS["resnet50"].depth
    50
    >>> network = resnet.create("cifar_resnet18", num_classes=100)
"""

from typing import TYPE_CHECKING

from resnet.config import ResNetConfig
from resnet.variants import VARIANTS, create

if TYPE_CHECKING:
    from resnet.classifier import Classifier
    from resnet.heads.detector import detector
    from resnet.heads.segmenter import segmenter
    from resnet.model import ResNet

__all__ = ["VARIANTS", "Classifier", "ResNet", "ResNetConfig", "create", "detector", "segmenter"]


def __getattr__(name: str) -> object:
    # torch takes seconds to import, and a list of names needs none of it.
    if name == "ResNet":
        from resnet.model import ResNet  # noqa: PLC0415

        return ResNet
    if name == "Classifier":
        from resnet.classifier import Classifier  # noqa: PLC0415

        return Classifier
    if name == "detector":
        from resnet.heads.detector import detector  # noqa: PLC0415

        return detector
    if name == "segmenter":
        from resnet.heads.segmenter import segmenter  # noqa: PLC0415

        return segmenter
    raise AttributeError(f"module 'resnet' has no attribute {name!r}")
