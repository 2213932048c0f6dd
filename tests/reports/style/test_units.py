import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.style.units import NONE, SCALES, SPACE, number, quantity, spread


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ((0.0123456, "s", 0.0122, 0.0125), "12.3 ms"),
        ((0.0123456, "s"), "12.3 ms"),
        ((1.2345, "×", 1.2343, 1.2347), "1.2345×"),
        ((25_557_032, "1"), "25.6 M"),
        ((4.089e9, "MAC"), "4.09 GMAC"),
        ((1234.5, "img/s", 1200, 1300), "1,230 img/s"),
        ((1234.5, "img/s", 1231, 1236), "1,234 img/s"),
        ((0, "B"), "0 B"),
        ((None, "s"), NONE),
        ((math.nan, "s"), NONE),
        ((np.float64(2.0), "s"), "2.00 s"),
    ],
)
def test_quantity(arguments, shown):
    assert quantity(*arguments).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_spread_is_the_larger_half():
    assert spread(100, 99, 103).replace("\N{NO-BREAK SPACE}", " ") == "± 3.0 %"
    assert spread(100, None, 103) == ""


@given(st.floats(1e-6, 1e6), st.floats(1e-4, 0.5), st.sampled_from(["s", "B", "MAC", "1"]))
def test_what_is_shown_lies_within_the_interval(value, share, unit):
    shown = quantity(value, unit, value * (1 - share), value * (1 + share))
    number, _, symbol = shown.partition(SPACE)
    factor = next(factor for factor, name in SCALES[unit] if name == symbol)
    assert float(number.replace(",", "")) * factor == pytest.approx(value, rel=share)


@given(st.one_of(st.none(), st.text(), st.floats(), st.integers()))
def test_number_is_finite_or_none(value):
    found = number(value)
    assert found is None or math.isfinite(found)
