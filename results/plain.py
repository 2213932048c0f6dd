"""Lines that stand exactly as `results.lines.encode` writes them: in these no key can be given twice.

Looking for repeated keys takes a parser in Python, which is slower than all other checks together. One regular
expression, made of the schema itself, tells the usual line from those that need it.
"""

import dataclasses
import functools
import json
import re
import types
import typing
from typing import Any, Final

from results.schema import Record, Summary

_NUMBERS: Final = b"0123456789.+-"
"""Most of a line is numbers, which hold no keys: without these characters it is a third as long."""
_TEXT: Final = rb'"[^"\\]*+"'
_VALUE: Final = rb"(?>" + _TEXT + rb"|\[(?:" + _TEXT + rb",?|[a-zA-Z,]++)*+\]|[a-zA-Z]*+)"
"""Numbers, true, false, null, text and lists of these, less `_NUMBERS`."""
_REASONS: Final = rb"(\{[^{}]*+\})"


def plain(line: bytes) -> bool:
    """Tell whether `line` is that of a record with every key of the schema once, in the schema's order.

    Nothing is said of its values, nor whether it is JSON at all. False also for a line that is sound but written
    otherwise.
    """
    found = _pattern().fullmatch(line.translate(None, _NUMBERS))
    return found is not None and _unique(found[1])


@functools.cache
def _pattern() -> re.Pattern[bytes]:
    # Possessive or atomic throughout, so that no content makes it try twice: time is linear in the line.
    return re.compile(rb'\{"%s":' % _name("crc32") + _TEXT + rb',"line":,"record":' + _object(Record) + rb"\}")


def _object(kind: type) -> bytes:
    hints = typing.get_type_hints(kind)
    fields = [b'"%s":%s' % (_name(field.name), _field(hints[field.name])) for field in dataclasses.fields(kind)]
    return rb"\{" + b",".join(fields) + rb"\}"


def _name(key: str) -> bytes:
    return key.encode().translate(None, _NUMBERS)


def _field(hint: Any) -> bytes:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if Summary in kinds:  # of imported records; its dicts are no reasons
        return b"null"
    inner = next((kind for kind in kinds if isinstance(kind, type) and dataclasses.is_dataclass(kind)), None)
    if inner is not None:
        return b"(?>null|" + _object(inner) + b")"
    return _REASONS if typing.get_origin(hint) is dict else _VALUE


@functools.lru_cache(maxsize=1024)
def _unique(reasons: bytes) -> bool:
    """Tell whether no key of this object is given twice; runs repeat a handful of them."""
    try:
        pairs = json.loads(reasons, object_pairs_hook=list)
    except ValueError:
        return False
    return len(dict(pairs)) == len(pairs)
