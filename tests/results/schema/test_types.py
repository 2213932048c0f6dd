import gc

import msgspec
import pytest

from results.schema.types import (
    LEAST_S,
    MOST_S,
    Count,
    Name,
    Patience,
    Seconds,
    Size,
    StepSeconds,
    Stored,
    Text,
    Value,
    known,
)


@pytest.mark.parametrize(
    ("constrained", "allowed", "refused"),
    [
        (Name, ["x", "x" * 128], ["", "x" * 129]),
        (Text, ["", "x" * 4096], ["x" * 4097]),
        (Seconds, [0.0, MOST_S], [-LEAST_S, 2 * MOST_S]),
        (StepSeconds, [LEAST_S, MOST_S], [0.0, LEAST_S / 2, 2 * MOST_S]),
        (Patience, [LEAST_S, MOST_S], [0.0, 2 * MOST_S]),
        (Value, [-1e30, 0.0, 1e30], [-1e31, 1e31]),
        (Count, [0, 2**62], [-1, 2**62 + 1]),
        (Size, [1, 2**31], [0, 2**31 + 1]),
    ],
)
def test_a_constrained_type_takes_its_ends_and_nothing_beyond(constrained, allowed, refused):
    for value in allowed:
        assert msgspec.convert(value, constrained) == value
    for value in refused:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(value, constrained)


class Line(Stored, frozen=True, kw_only=True):
    number: int


def test_what_is_stored_refuses_a_field_that_it_does_not_have():
    assert msgspec.convert({"number": 1}, Line) == Line(number=1)
    with pytest.raises(msgspec.ValidationError, match="unknown field `more`"):
        msgspec.convert({"number": 1, "more": 2}, Line)


def test_what_is_stored_does_not_change_and_is_not_tracked():
    line = Line(number=1)
    with pytest.raises(AttributeError):
        line.number = 2
    assert not gc.is_tracked(line)


@pytest.mark.parametrize("value", [0, "", (), 1.5])
def test_a_known_value_is_itself(value):
    assert known(value) is value


def test_an_unknown_value_is_an_error():
    with pytest.raises(ValueError, match="imported run"):
        known(None)
