"""The TOML files of recipes: the built-in files of the folder ``recipes``, and a user's files."""

import dataclasses
import os
import tomllib
from pathlib import Path
from typing import Any, Final

from resnet.config import near
from resnet.data.policy import Augmentation
from resnet.training.recipe import EarlyStopping, Recipe

_FOLDER: Final = Path(__file__).parent / "recipes"
_LARGEST_BYTES: Final = 100_000  # A recipe is written by hand; more is the wrong file.
_TABLES: Final = {"augmentation": Augmentation, "early_stopping": EarlyStopping}
"""Fields of a recipe that are tables, and what a table becomes."""


def recipe_names() -> tuple[str, ...]:
    """Return the names of the built-in recipes."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load_recipe(name_or_path: str | os.PathLike[str]) -> Recipe:
    """Return the built-in recipe of that name, or the recipe of that TOML file.

    Raises:
        ValueError: There is no such recipe, or the file is not a recipe.
    """
    name, names = os.fspath(name_or_path), recipe_names()
    path = _FOLDER / f"{name}.toml" if name in names else Path(name)
    if path.suffix != ".toml":
        raise ValueError(
            f"unknown recipe {name!r}{near(name, names)} (choices: {', '.join(names)}, or the path of a .toml file)"
        )
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"cannot read recipe {str(path)!r}: it is not a file")
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot read recipe {str(path)!r}: {error.strerror}") from error
    if len(content) > _LARGEST_BYTES:
        raise ValueError(f"{path}: larger than any recipe")
    try:
        return parse_recipe(content.decode(), name=path.stem)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parse_recipe(text: str, *, name: str | None = None) -> Recipe:
    """Return the recipe of a TOML text, such as `Recipe.to_toml` returns.

    Args:
        text: The fields of `Recipe`; `Augmentation` and `EarlyStopping` are tables.
        name: Name of the recipe where the text has none.

    Raises:
        ValueError: The text is not TOML, lacks a field, or has a field or value that no recipe has.
    """
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"not TOML: {error}") from error
    if name is not None:
        values.setdefault("name", name)
    for field, table in _TABLES.items():
        if field in values:
            values[field] = _made(table, values[field], f"table {field}")
    recipe: Recipe = _made(Recipe, values, "recipe")
    return recipe


def _made(kind: type[Any], values: object, words: str) -> Any:
    """Return a dataclass with the values of a TOML table."""
    if not isinstance(values, dict):
        raise ValueError(f"{words} must be a table, not {values!r}")  # noqa: TRY004 - all bad input is ValueError
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = next((key for key in values if key not in fields), None)
    if unknown is not None:
        raise ValueError(f"unknown field {unknown!r} of the {words}{near(unknown, tuple(fields))}")
    missing = [
        name
        for name, field in fields.items()
        if name not in values and field.default is field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ValueError(f"the {words} lacks {', '.join(missing)}")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
