"""Lines that stand as `results.storage.lines.encode` writes them: in these no key is unknown or given twice.

msgspec leaves out keys that it does not know and takes the last of two. Looking for both takes a parser in Python,
which is slower than all else together. One regular expression, made of the schema itself, tells the usual line from
those that need it.
"""

import dataclasses
import functools
import json
import operator
import re
import types
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal

from results.schema.record import Record
from results.schema.run import Run
from results.schema.static import Static

SHARED: Final = ("case", "nulls", "ran")
"""Fields of `Record` whose objects many records hold alike."""

# Possessive or atomic throughout, so that no content makes it try twice: time is linear in the line.
_TEXT: Final = rb'"[ !#-\[\]-~]*+"'
"""Printable ASCII without escapes: as a name, it can be shown."""
_WORD: Final = rb"[-+.0-9a-z]*+"
"""A number, true, false or null."""
_WORDS: Final = rb"\[[^\]]*+\]"
"""A list of these."""
_Pick = Callable[[Sequence[bytes | None]], tuple[bytes | None, ...]]
_BODIES: Final = {b"record": Record, b"static": Static, b"header": Run}
"""By their keys. The other lines are few."""


def plain(line: bytes) -> tuple[bytes | None, ...] | None:
    """Tell whether `line` is a record, a static cost or a header with each key of the schema once, in its order.

    Args:
        line: what msgspec has read as such: that it is JSON, and each value of its type, is not looked at again.

    Returns:
        How the parts of a record that are named in `SHARED` are spelled, None for those it has not; the line is plain
        if `plain_part` says so of each of them. None for the whole also where a line is sound but spelled otherwise.
    """
    pattern, shared, others = _pattern()
    found = pattern.fullmatch(line)
    if found is None:
        return None
    groups = found.groups()
    entries = others(groups)
    if any(entries) and not all(map(_unique, filter(None, entries))):
        return None
    return shared(groups)


def plain_part(name: str, spelled: bytes) -> bool:
    """Tell the same of the part `name` of a record as it is spelled."""
    found = _part(name).fullmatch(spelled)
    return found is not None and all(map(_unique, filter(None, found.groups())))


@functools.cache
def _part(name: str) -> re.Pattern[bytes]:
    return re.compile(_value(typing.get_type_hints(Record, include_extras=True)[name]))


@functools.cache
def _pattern() -> tuple[re.Pattern[bytes], _Pick, _Pick]:
    """Return the pattern, and which of its groups are those of `SHARED`, and which other objects of any keys."""
    bodies = b"|".join(b'"%s":%s' % (name, _object(kind)) for name, kind in _BODIES.items())
    pattern = re.compile(rb'\{"crc32":%s,"line":%s,(?>%s)\}' % (_TEXT, _WORD, bodies))
    shared = [pattern.groupindex[name] - 1 for name in SHARED]
    others = sorted({*range(pattern.groups)} - {*shared})
    return pattern, operator.itemgetter(*shared), operator.itemgetter(*others)


def _object(kind: type) -> bytes:
    hints = typing.get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind)]
    return rb"\{%s\}" % b",".join(
        b'"%s":%s' % (name.encode(), _any(name) if kind is Record and name in SHARED else _value(hints[name]))
        for name in names
    )


def _any(name: str) -> bytes:
    """Return a pattern for null or an object without objects inside, of which `plain_part` tells the rest."""
    return rb"(?P<%s>null|\{[^}]*+\})" % name.encode()


def _value(hint: Any) -> bytes:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _value(parts[0])
    if origin in {types.UnionType, typing.Union}:
        (inner,) = {_value(part) for part in parts if part is not types.NoneType}
        return inner if inner == _WORD else b"(?>null|%s)" % inner
    if origin is tuple:
        inner = _value(parts[0])
        return _WORDS if inner == _WORD else rb"\[(?:%s,?)*+\]" % inner
    if origin is dict:
        return rb"(\{(?:%s:%s,?)*+\})" % (_TEXT, _value(parts[1]))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object(hint)
    return _TEXT if hint is str or (origin is Literal and isinstance(parts[0], str)) else _WORD


@functools.lru_cache(maxsize=1024)
def _unique(entries: bytes) -> bool:
    """Tell whether no key of this object is given twice; runs repeat a handful of them."""
    pairs = json.loads(entries, object_pairs_hook=list)
    return len(dict(pairs)) == len(pairs)
