"""`predict`: ask a trained network for the classes of images."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bench.commands.options import Format
from results.errors import InputError

if TYPE_CHECKING:
    from resnet.classifier import Prediction


def predict_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A network that `train` or `Classifier.save` wrote.")],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Image files.")],
    top: Annotated[int, typer.Option(metavar="COUNT", min=1, help="Classes of an image, likeliest first.")] = 3,
    form: Format = "table",
) -> None:
    """Name the classes of images, with probabilities, by a trained network.

    Exit codes: 0 success, 2 bad input.
    """
    from reports.text.data.predictions import predictions_text
    from resnet.classifier import Classifier

    try:
        classifier = Classifier.load(file)
        predictions = cast("list[Prediction]", classifier.predict([str(image) for image in images], top=top))
    except ValueError as error:
        raise InputError(str(error)) from None
    rows = [
        (str(image), rank, name, probability)
        for image, prediction in zip(images, predictions, strict=True)
        for rank, (name, probability) in enumerate(
            zip(prediction.classes, prediction.probabilities, strict=True), start=1
        )
    ]
    typer.echo(predictions_text(rows, form), nl=False)
