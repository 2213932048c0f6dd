import dataclasses
import datetime
import json
import math
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, field

from results.schema.types import Name, Seconds, Size, Stored, Text
from results.schema.validation import InvalidError, document, from_json, validated


class Part(Stored, frozen=True, kw_only=True):
    name: Name
    word: Literal["a", "b"] = "a"


class Whole(Stored, frozen=True, kw_only=True):
    parts: tuple[Part, ...]
    part: Part | None = None
    size: Size = 1
    rate: float = 0.0
    series: tuple[Seconds | None, ...] = ()
    reasons: dict[Name, Text] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    flag: bool = False
    code: Annotated[str, Meta(pattern=r"^[0-9]+\Z")] = "0"
    rest: dict[str, Any] | None = None


def test_what_is_right_is_made():
    made = validated({"parts": [{"name": "é ü"}], "part": {"name": "x", "word": "b"}, "rate": 1}, Whole)
    assert made == Whole(parts=(Part(name="é ü"),), part=Part(name="x", word="b"), rate=1.0)
    assert type(made.rate) is float


WRONG = {
    "a list": ([], "should be an object, not a list"),
    "missing": ({}, "parts: is missing"),
    "missing inside": ({"parts": [{"name": "a"}, {}]}, "parts[1].name: is missing"),
    "text": ({"parts": "a"}, "parts: should be a list, not text"),
    "a number in quotes": ({"size": "1"}, "size: should be a whole number, not text"),
    "true": ({"size": True}, "size: should be a whole number, not a truth value"),
    "a decimal": ({"size": 1.0}, "size: should be a whole number, not a decimal"),
    "one": ({"flag": 1}, "flag: should be true or false, not a whole number"),
    "too small": ({"size": 0}, "size: should be a whole number >= 1"),
    "too large": ({"series": [None, 1, 2e9]}, "series[2]: should be a number <= 1000000000"),
    "either": ({"series": ["1"]}, "series[0]: should be a number or null, not text"),
    "a date": ({"size": datetime.date(2026, 11, 22)}, "size: should be a whole number, not date"),
    "beyond floats": ({"rate": 10**400}, "rate: number out of range"),
    "not a number": ({"rate": math.nan}, "rate: should be a finite number"),
    "infinite": ({"values": {"a": -math.inf}}, "values.a: should be a finite number"),
    "a strange word": ({"part": {"name": "a", "word": "c"}}, "part.word: invalid enum value 'c'"),
    "a word that poses": (
        {"part": {"name": "a", "word": "c - at `$.x`"}},
        "part.word: invalid enum value 'c - at `$.x`'",
    ),
    "too long": ({"part": {"name": "x" * 129}}, "part.name: should be text of length <= 128"),
    "hidden": ({"parts": [{"name": "a\u202e"}]}, "parts[0].name: has characters that cannot be shown"),
    "a hidden key": ({"reasons": {"a\x1b": "b"}}, r"reasons: the key 'a\x1b': has characters that cannot be shown"),
    "a long key": ({"reasons": {"x" * 129: "b"}}, "reasons: a key should be text of length <= 128"),
    "half a character": ({"reasons": {"a": "\ud800"}}, "reasons.a: has half of a character (a lone surrogate)"),
    "half a word": ({"part": {"name": "a", "word": "\ud800"}}, "has half of a character (a lone surrogate)"),
    "another pattern": ({"code": "1\n"}, "code: should be text matching regex '^[0-9]+\\\\Z'"),
    "unknown": ({"parts": [{"name": "a", "color": 1}]}, "parts[0].color: unknown field"),
    "unknown above": ({"parts\n": 1}, r"parts\n: unknown field"),
}


@pytest.mark.parametrize(("value", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_place_in_one_line(value, message):
    given = {"parts": []} | value if isinstance(value, dict) and value else value
    with pytest.raises(InvalidError) as caught:
        validated(given, Whole)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "message",
    [
        "Expected `int` but `str` was given",
        "Field `size` is required",
        "Expected `int`, got `str`, at $.size",
        "The object has no field `size` - at $",
    ],
)
def test_a_message_that_msgspec_does_not_have_today_is_kept_as_it_is(monkeypatch, message):
    def convert(*_):
        raise msgspec.ValidationError(message)

    monkeypatch.setattr(msgspec, "convert", convert)
    with pytest.raises(InvalidError) as caught:
        validated({}, Whole)
    assert str(caught.value) == message


def test_a_dataclass_is_made_too_and_leaves_out_what_it_has_no_field_for():
    @dataclasses.dataclass
    class Answer:
        part: Part
        rates: tuple[float, ...] = ()

    assert validated({"part": {"name": "a"}, "x": 1}, Answer) == Answer(part=Part(name="a"))
    with pytest.raises(InvalidError, match=r"^part.name: has characters"):
        validated({"part": {"name": "\x1b"}}, Answer)
    with pytest.raises(InvalidError, match=r"^rates\[1\]: should be a finite number"):
        validated({"part": {"name": "a"}, "rates": [1.0, math.inf]}, Answer)


@pytest.mark.parametrize("name", ["a", "é ü", 'a"b', "µs"])
def test_json_is_read_as_a_value_is(name):
    data = json.dumps({"parts": [{"name": name}]})
    assert from_json(data.encode(), Whole) == validated(json.loads(data), Whole)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON: "),
        (b"{", "not JSON: "),
        (b'{"parts":[]}{}', "not JSON: "),
        (b'{"parts":[],"rate":NaN}', "not JSON: "),
        (b'{"parts":[{"name":"\xff"}]}', "not JSON: "),
        (b'{"parts":[{"name":"\xed\xa0\x80"}]}', "not JSON: "),
        (b'{"parts":[{"name":"\\ud800"}]}', "not JSON: "),
        (b'{"parts":[],"rate":1e999}', "rate: number out of range"),
        (b'{"parts":[{"name":"a\x7f"}]}', "parts[0].name: has characters that cannot be shown"),
        (b'{"parts":[{"name":"a\\u001b"}]}', "parts[0].name: has characters that cannot be shown"),
        ('{"parts":[{"name":"a\u202e"}]}'.encode(), "parts[0].name: has characters that cannot be shown"),
        (b'{"parts":[],"parts\\n":1}', r"parts\n: unknown field"),
        (b"[" * 200_000 + b"]" * 200_000, "should be an object, not a list"),
        (b'{"rest":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}", "nested too deeply"),
    ],
)
def test_json_that_is_wrong_is_told_as_a_value_is(data, message):
    with pytest.raises(InvalidError) as caught:
        from_json(data, Whole)
    assert str(caught.value).startswith(message)


def test_a_message_is_no_longer_than_a_line():
    with pytest.raises(InvalidError) as caught:
        validated({"parts": [], "\x1b" * 10_000: 1}, Whole)
    assert len(str(caught.value)) == 300


def test_single_values_are_checked_too():
    assert validated("a", Name) == "a"
    with pytest.raises(InvalidError, match=r"^should be text of length >= 1$"):
        validated("", Name)
    with pytest.raises(InvalidError, match=r"^has characters that cannot be shown$"):
        validated("\x00", Name)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON: "),
        (b"{", "not JSON: "),
        (b"{}{}", "not JSON: "),
        (b'"\xff"', "not JSON: "),
        (b'"\xed\xa0\x80"', "not JSON: "),
        ('{"a":1}'.encode("utf-16"), "not JSON: "),
        (b"9" * 5000, "not JSON: "),
        (b'[{"a":1,"b":2,"a":1}]', "a key is given twice"),
        (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
    ],
)
def test_what_is_no_document_is_told(data, message):
    with pytest.raises(InvalidError) as caught:
        document(data)
    assert str(caught.value).startswith(message)
