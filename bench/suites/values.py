"""Check the values of suites and options, and convert them to the form of a suite's blocks."""

import contextlib
import itertools
import math
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, get_type_hints

from msgspec import structs

from bench.suites import SUITE_AXES, models
from results.errors import InputError, suggestion
from results.image_size import parse_image_size
from results.schema.axes import AXES, check_choice
from results.schema.case import Case
from results.schema.lines.run import Settings
from results.schema.types import Size
from results.schema.validation import InvalidError, validated

Kind = Literal["cpu", "accelerator"]
KINDS: Final[tuple[Kind, ...]] = ("cpu", "accelerator")

ALL: Final = "all"
"""Name for every variant of `resnet.VARIANTS`, in place of a model."""
_CPU: Final = Settings(replicates=5, target=0.01, budget_s=1.0, timeout_s=600.0, time_limit_s=None)
DEFAULTS: Final[Mapping[Kind, Settings]] = {"cpu": _CPU, "accelerator": structs.replace(_CPU, live=12)}
"""Settings that a suite does not state. On an accelerator every live worker holds a context, and shares its power."""


def fraction(value: object) -> float:
    """Parse a fraction: ``"1%"`` and ``0.01`` are 0.01.

    Raises:
        InputError: not a number, or not between 0 and 100 %.
    """
    try:
        text = str(value).strip()
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except (ValueError, RecursionError):
        number = math.nan
    if not 0 < number < 1:
        raise InputError(f"{shown(value)} is no fraction between 0 and 1: write 1% or 0.01")
    return number


@contextlib.contextmanager
def within(where: str) -> Iterator[None]:
    """Prefix the message of an `InputError` with its origin."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def check_keys(table: Mapping[str, object], keys: Sequence[str], what: str = "key") -> None:
    """Raise `InputError`, with the nearest of `keys`, for a key of `table` that is not in `keys`."""
    for key in table:
        if key not in keys:
            raise InputError(f"unknown {what} {key!r}{suggestion(key, keys)} (choices: {', '.join(keys)})")


def valid_value(annotation: Any, value: object, key: str) -> Any:
    """Convert `value` to the annotated type; raise `InputError`, naming `key`, where it does not fit."""
    try:
        return validated(value, annotation)
    except InvalidError as error:
        raise InputError(f"{key}: {shown(value)} {error.what}") from error


def shown(value: object) -> str:
    """Return `value` as a short text, also where it is long or nested."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    try:
        return short.repr(value)
    except ValueError:
        return "an integer of more digits than can be shown"


def valid_settings(table: Mapping[str, object], defaults: Settings) -> Settings:
    """Return the settings of `table`, the others from `defaults`; raise `InputError` for an invalid setting."""
    with within("settings"):
        check_keys(table, [*Settings.__struct_fields__])
        values = structs.asdict(defaults) | dict(table)
        with within("target"):
            values["target"] = fraction(values["target"])
        types = get_type_hints(Settings, include_extras=True)
        return Settings(**{key: valid_value(types[key], value, key) for key, value in values.items()})


def change_settings(settings: Settings, **changes: object) -> Settings:
    """Return `settings` with the `changes` that are not None, validated.

    Raises:
        InputError: a setting is unknown, or its value is invalid.
    """
    given = {key: value for key, value in changes.items() if value is not None}
    return valid_settings(given, settings)


def axis_values(axis: str, value: object) -> Mapping[Kind, tuple[Any, ...]]:
    """Convert a scalar, a list, or a table by kind of device to the form of a block."""
    check_keys({axis: value}, SUITE_AXES, "axis")
    if not isinstance(value, Mapping):
        return dict.fromkeys(KINDS, _axis_tuple(axis, value))
    for kind in value:
        if kind not in KINDS:  # no suggestion: the nearest to 'gpu' would be 'cpu'
            raise InputError(f"{axis}: unknown kind of device {kind!r} (choices: {', '.join(KINDS)})")
    return {kind: _axis_tuple(axis, value[kind]) for kind in KINDS if kind in value}


def _axis_tuple(axis: str, value: object) -> tuple[Any, ...]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not values:
        raise InputError(f"{axis}: empty; give at least one value")
    if AXES[axis].kind == "size":
        return tuple(size_value(axis, item) for item in values)
    annotation = get_type_hints(Case, include_extras=True)[axis]
    for item in values:
        if AXES[axis].choices and isinstance(item, str):
            check_choice(axis, item)
        valid_value(annotation, item, axis)
    if axis == "model":
        return tuple(itertools.chain.from_iterable(map(model_names, values)))
    return values


def size_value(axis: str, value: object) -> int | str:
    """Return the size of an image that a number or a text states; raise `InputError`, naming the axis, for another."""
    if not isinstance(value, str):
        size: int = valid_value(Size, value, axis)
        return size
    with within(axis):
        return parse_image_size(value)


def model_names(name: str) -> tuple[str, ...]:
    """Return the model of that name, or every variant for `ALL`; raise `InputError` for an unknown name."""
    if name == ALL:
        return tuple(model for model in models.names() if model not in models.PEERS)
    models.check(name)
    return (name,)
