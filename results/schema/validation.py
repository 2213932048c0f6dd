"""Convert values from outside to types of the schema; an invalid value raises an error of one line, with its path.

msgspec checks types, ranges, lengths and unknown fields. This module also refuses numbers that are not finite, text
that UTF-8 cannot hold, and names with characters that cannot be shown.
"""

import dataclasses
import functools
import json
import math
import re
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Final, TypeVar

import msgspec

from results.text import printable

T = TypeVar("T")
Problem = tuple[str, str]
"""Path of an invalid part of a value, such as ``.step_s[3]``, and its problem."""

_LONGEST: Final = 300
"""The most characters of a message, which may quote a text as long as a file."""
_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
"""Words for the types that msgspec expects."""
_GIVEN: Final = _WORDS | {"float": "a decimal", "bool": "a truth value"}
"""Words for the types that msgspec was given."""
_AT: Final = re.compile(r"(.*) - at `([^$]*)\$\.?(.*)`", re.DOTALL)
"""A message of msgspec with a path: what is wrong, ``key in`` for a key of a dict, and the path."""
_FIELD: Final = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
_FIELDS: Final = {"missing required": "is missing", "contains unknown": "unknown field"}
"""Our words for messages of msgspec that name a field."""
_EXPECTED: Final = re.compile(
    r"Expected (`[^`]+`(?: (?:[<>]=?|of|matching|that's) .*?)?)(?:, got (`[^`]+`|\d+))?", re.DOTALL
)
"""A message of msgspec about a type or a limit: what it expected, and what it was given."""
_VALUES: Final = ("Invalid ", "Number ", "Integer ")
"""First words of messages of msgspec about a value of the right type."""
_SURROGATE: Final = "has half of a character (a lone surrogate)"


class InvalidError(ValueError):
    """A value breaks its type or a constraint."""

    def __init__(self, where: str, what: str) -> None:
        self.where = where
        """Path in the value, such as ``samples.step_s[3]``; empty for the value itself."""
        self.what = what
        """Such as ``should be a number > 0``, or ``is missing``."""
        super().__init__(printable(f"{where}: {what}" if where else what)[:_LONGEST])


def document(data: str | bytes) -> Any:
    """Parse a JSON document of another program, which may hold NaN and infinity.

    Raises:
        InvalidError: The document is not JSON in UTF-8, is nested too deeply, or gives a key twice.
    """
    try:
        return json.loads(data if isinstance(data, str) else data.decode(), object_pairs_hook=_unique)
    except RecursionError:
        raise InvalidError("", "nested too deeply") from None
    except InvalidError:
        raise
    except ValueError as error:
        raise InvalidError("", f"not JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise InvalidError("", "a key is given twice")
    return content


def validated(value: object, kind: type[T]) -> T:
    """Convert `value` to the type `kind`, strictly: neither text nor true is accepted as a number.

    Args:
        value: dicts, lists, text and numbers, as parsed from JSON or TOML.
        kind: a Struct or dataclass, or the annotation of a field.

    Raises:
        InvalidError: `value` does not have the type `kind`.
    """
    try:
        made = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except UnicodeEncodeError:  # of a key, or of text that is a choice
        raise InvalidError("", _SURROGATE) from None
    check(made, kind)
    return made


def from_json(data: bytes, kind: type[T]) -> T:
    """Parse JSON as the type `kind`; a key may be given twice.

    Raises:
        InvalidError: `data` is not JSON, or does not have the type `kind`.
    """
    made = parsed_json(data, kind)
    # JSON has only finite numbers and no raw control characters: ASCII without escapes can always be shown.
    if not data.isascii() or b"\\" in data or b"\x7f" in data:
        check(made, kind)
    return made


def parsed_json(data: bytes, kind: type[T]) -> T:
    """Parse JSON as `from_json` does, but let text pass that cannot be stored or shown; for large files.

    Raises:
        InvalidError: As `from_json`.
    """
    try:
        made: T = _decoder(kind).decode(data)  # type: ignore[arg-type] # mypy takes a class for an instance of it
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except RecursionError:
        raise InvalidError("", "nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidError("", f"not JSON: {error}") from None
    return made


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _invalid(message: str) -> InvalidError:
    """Translate msgspec's message, such as ``Expected `int`, got `str` - at `$.case.threads```, to our words."""
    at = _AT.fullmatch(message)
    what, key, path = at.groups() if at else (message, "", "")
    field = _FIELD.fullmatch(what)
    if field:
        return InvalidError(f"{path}.{field[2]}".removeprefix("."), _FIELDS[field[1]])
    return InvalidError(path, f"{'a key ' if key else ''}{_translated(what)}")


def _translated(what: str) -> str:
    """Return a message without its path in our words; a message that this version does not know is kept as it is."""
    known = _EXPECTED.fullmatch(what)
    if known is None:
        return f"{what[:1].lower()}{what[1:]}" if what.startswith(_VALUES) else what
    expected, given = known.groups()
    text = f"should be {_named(expected, _WORDS).removesuffix('.0')}"
    return f"{text}, not {_named(given, _GIVEN)}" if given else text


def _named(text: str, words: dict[str, str]) -> str:
    """Replace the types between backticks in `text`, such as `` `int | null` ``, by `words`."""
    parts = text.split("`")
    parts[1::2] = [" or ".join(words.get(name, name) for name in part.split(" | ")) for part in parts[1::2]]
    return "".join(parts)


def check(value: object, kind: Any) -> None:
    """Raise `InvalidError` unless the numbers of `value` are finite and its text and names can be stored and shown.

    msgspec does not check these constraints of a `value` of the type `kind`.
    """
    problem = next(_problems(value, kind), None)
    if problem is not None:
        raise InvalidError(problem[0].removeprefix("."), problem[1])


def _problems(value: object, hint: Any) -> Iterator[Problem]:
    while typing.get_origin(hint) is Annotated:
        if any((getattr(meta, "extra", None) or {}).get("printable") for meta in hint.__metadata__):
            if isinstance(value, str) and not value.isprintable():
                yield "", "has characters that cannot be shown"
            return
        hint = hint.__origin__
    if isinstance(value, float):
        if not math.isfinite(value):
            yield "", "should be a finite number"
    elif isinstance(value, str):
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            yield "", _SURROGATE
    elif value is not None:
        for where, part, inner in _parts(value, _not_null(hint)):
            yield from ((where + rest, what) for rest, what in _problems(part, inner))


def _not_null(hint: Any) -> Any:
    """Return the type without null: ``X`` for ``X | None``."""
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    return parts[0] if type(None) in typing.get_args(hint) and len(parts) == 1 else hint


def _parts(value: object, hint: Any) -> Iterator[tuple[str, object, Any]]:
    """Yield the parts of a container, with their paths in it and their types."""
    inner = typing.get_args(hint) or (Any, Any)
    if isinstance(value, dict):
        for key, part in value.items():
            yield f": the key {key!r}", key, inner[0]
            yield f".{key}", part, inner[-1]
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield f"[{index}]", part, inner[0]
    elif isinstance(value, msgspec.Struct) or dataclasses.is_dataclass(value):
        for name, kind in _hints(type(value)).items():  # type: ignore[arg-type] # likewise
            yield f".{name}", getattr(value, name), kind


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)
