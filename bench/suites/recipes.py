"""The built-in recipes of trainings as rows of text; the recipes themselves, which need torch, are in `resnet`."""

from pathlib import Path

import resnet
from bench.suites.toml import read_toml


def recipe_rows() -> list[tuple[str, str, str, str]]:
    """Return name, epochs, published accuracy and description of each built-in recipe."""
    rows = []
    for path in sorted(Path(resnet.__file__).parent.glob("training/recipes/*.toml")):
        recipe = read_toml(path)
        accuracy = recipe.get("expected_accuracy")
        where = f"{recipe.get('model')} on {recipe.get('expected_data')}"
        published = "" if accuracy is None else f"{accuracy:.2%}, {where}"
        rows.append((path.stem, str(recipe["epochs"]), published, recipe.get("description", "")))
    return rows
