"""What comes from outside, made into one of our dataclasses, or one line that says where it is wrong and how.

msgspec checks types, ranges and lengths. What it lets pass is looked for in the same annotations: numbers that are not
finite, text that no file can hold, names that cannot be shown, and keys that nothing has.
"""

import dataclasses
import functools
import json
import math
import re
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec

from results.text import printable

T = TypeVar("T")
_Wrong = tuple[str, str]
"""Where in a value something is wrong, such as ``.step_s[3]``, and what."""
_Check = Callable[[Any], _Wrong | None]
"""Looks through a value of the right type for the first thing that is wrong."""

_LONGEST: Final = 300
"""Characters of a message; what it quotes may be as long as a file."""
_COMPLAINT: Final = re.compile(r"(.*?)(?: - at (`key` in )?`\$\.?([^`]*)`)?", re.DOTALL)
_EXPECTED: Final = re.compile(r"Expected (.+?)(?:, got (.+))?")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
"""msgspec's names of types, as someone calls them who has not written the program."""
_GOT: Final = _WORDS | {"float": "a decimal", "bool": "a truth value"}
"""The same, of what stands in their place."""
_HALF: Final = "has half of a character (a lone surrogate)"


class InvalidError(ValueError):
    """A value is not what it should be."""

    def __init__(self, where: str, what: str) -> None:
        self.where = where
        """Place in the value, such as ``samples.step_s[3]``; empty for the value itself."""
        self.what = what
        """Such as ``should be a number > 0``, or ``is missing``."""
        super().__init__(printable(f"{where}: {what}" if where else what)[:_LONGEST])


def document(data: str | bytes) -> Any:
    """Return the content of a JSON document, in which NaN and infinity may stand for a number.

    Raises:
        InvalidError: It is no JSON in UTF-8, nested too deeply, or gives a key twice.
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
    made = dict(pairs)
    if len(made) != len(pairs):
        raise InvalidError("", "a key is given twice")
    return made


def validated(value: object, kind: type[T], *, closed: bool = False) -> T:
    """Return `value` as a `kind`: strictly, so that a number in quotes is no number, and true is none.

    Args:
        value: made of dicts, lists, text and numbers, as JSON and TOML give it.
        kind: a dataclass of which all fields are annotated, or any other type that `results.schema.record` uses.
        closed: whether keys that no field has are refused; otherwise they are left out.

    Raises:
        InvalidError: `value` is no such thing.
    """
    try:
        made = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except UnicodeEncodeError:  # from a key, or from one of some words
        raise InvalidError("", _HALF) from None
    check = _check(kind, closed)  # type: ignore[arg-type] # mypy takes a class for one of its instances
    wrong = None if check is None else check(value)
    if wrong is not None:
        raise InvalidError(wrong[0].removeprefix("."), wrong[1])
    return made


def _invalid(message: str) -> InvalidError:
    """Return msgspec's complaint, such as ``Expected `int`, got `str` - at `$.case.threads```, in our words."""
    complaint = _COMPLAINT.fullmatch(message)
    what, key, where = complaint.groups("") if complaint else (message, "", "")
    missing, expected = _MISSING.fullmatch(what), _EXPECTED.fullmatch(what)
    if missing is not None:
        return InvalidError(f"{where}.{missing[1]}".removeprefix("."), "is missing")
    if expected is not None:
        got = f", not {_named(expected[2], _GOT)}" if expected[2] else ""
        what = f"should be {_named(expected[1], _WORDS).removesuffix('.0')}{got}"
    return InvalidError(where, f"{'a key ' if key else ''}{what[:1].lower()}{what[1:]}")


def _named(names: str, words: dict[str, str]) -> str:
    return re.sub("`([^`]*)`", lambda found: " or ".join(words.get(one, one) for one in found[1].split(" | ")), names)


@functools.cache
def _check(hint: Any, closed: bool) -> _Check | None:
    """Return what looks through values of a type, None where msgspec has seen all there is to see."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        shown = any((getattr(one, "extra", None) or {}).get("printable") for one in parts[1:])
        return _name if shown else _check(parts[0], closed)
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct)):
        return _fields(hint, closed)
    if origin is dict:
        return functools.partial(_entries, _check(parts[0], closed), _check(parts[1], closed))
    inner = next(filter(None, (_check(part, closed) for part in parts if part not in {..., types.NoneType})), None)
    if inner is None:
        return _SIMPLE.get(hint)
    return functools.partial(_items if origin is tuple else _some, inner)


def _name(value: str) -> _Wrong | None:
    return None if value.isprintable() else ("", "has characters that cannot be shown")


def _text(value: str) -> _Wrong | None:
    if value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value):
        return None
    return "", _HALF


def _number(value: float) -> _Wrong | None:
    return None if math.isfinite(value) else ("", "should be a finite number")


_SIMPLE: Final[dict[Any, _Check]] = {str: _text, float: _number}


def _some(check: _Check, value: Any) -> _Wrong | None:
    return None if value is None else check(value)


def _items(check: _Check, values: list[Any]) -> _Wrong | None:
    for index, value in enumerate(values):
        wrong = check(value)
        if wrong is not None:
            return f"[{index}]{wrong[0]}", wrong[1]
    return None


def _entries(check_key: _Check | None, check: _Check | None, values: dict[str, Any]) -> _Wrong | None:
    for key, value in values.items():
        wrong = check_key and check_key(key)
        if wrong:
            return "", f"the key {key!r} {wrong[1]}"
        wrong = check and check(value)
        if wrong:
            return f".{key}{wrong[0]}", wrong[1]
    return None


def _fields(kind: type, closed: bool) -> _Check:
    checks = {name: _check(hint, closed) for name, hint in typing.get_type_hints(kind, include_extras=True).items()}

    def check(values: dict[str, Any]) -> _Wrong | None:
        for name, value in values.items():
            if closed and name not in checks:
                return f".{name}", "unknown field"
            inner = checks.get(name)
            wrong = inner and inner(value)
            if wrong:
                return f".{name}{wrong[0]}", wrong[1]
        return None

    return check
