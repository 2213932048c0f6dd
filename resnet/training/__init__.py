"""Training to an accuracy: a `Recipe` says how, a `Trainer` does it.

Example:
    >>> import resnet
    >>> from resnet.data import load_data
    >>> from resnet.training import Trainer, load_recipe
    >>> data = load_data("digits")
    >>> network = resnet.create("cifar_resnet20", num_classes=10, in_channels=1)
    >>> trainer = Trainer(network, data, load_recipe("fast"), seed=0)
    >>> for event in trainer.run():
    ...     print(event)
"""

from typing import TYPE_CHECKING

from resnet.training.lengths import with_epochs
from resnet.training.recipe import EarlyStopping, Recipe
from resnet.training.recipe_files import load_recipe, parse_recipe, recipe_names
from resnet.training.slips import recipe_warnings

if TYPE_CHECKING:
    from resnet.training.events import EpochResult, Progress
    from resnet.training.loop import Trainer

__all__ = [
    "EarlyStopping",
    "EpochResult",
    "Progress",
    "Recipe",
    "Trainer",
    "load_recipe",
    "parse_recipe",
    "recipe_names",
    "recipe_warnings",
    "with_epochs",
]


def __getattr__(name: str) -> object:
    # torch takes seconds to import, and recipes need none of it.
    if name == "Trainer":
        from resnet.training.loop import Trainer  # noqa: PLC0415

        return Trainer
    if name in {"EpochResult", "Progress"}:
        from resnet.training import events  # noqa: PLC0415

        return getattr(events, name)
    raise AttributeError(f"module 'resnet.training' has no attribute {name!r}")
