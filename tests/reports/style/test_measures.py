import math

import pytest

from reports.style.measures import LATENCY, MACS, MEMORY, THROUGHPUT
from reports.style.units import SCALES
from tests.reports.sources import case_frame

MEASURES = {"throughput": THROUGHPUT, "latency": LATENCY, "memory": MEMORY, "macs": MACS}
FRAME = case_frame({"latency_s": 0.05}, {"latency_s": 0.1, "peak_bytes": 6e8})


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_shows_a_unit_that_the_page_knows(name):
    assert MEASURES[name].unit in SCALES
    assert MEASURES[name].better == ("higher" if name == "throughput" else "lower")


@pytest.mark.parametrize(
    ("measure", "values"), [(THROUGHPUT, [160, 80]), (LATENCY, [50, 100]), (MEMORY, [300, 600]), (MACS, [4, 4])]
)
def test_values_are_in_the_unit_of_the_axis(measure, values):
    assert measure.values(FRAME) == pytest.approx(values)


def test_an_interval_is_in_the_unit_of_the_axis_too():
    assert LATENCY.bounds(FRAME)[0] == pytest.approx((45, 55))
    assert THROUGHPUT.bounds(FRAME)[0] == pytest.approx((8 / 0.055, 8 / 0.045))


@pytest.mark.parametrize("measure", [MEMORY, MACS])
def test_what_is_not_sampled_has_no_interval(measure):
    assert measure.bounds(FRAME) == [(None, None)] * 2


@pytest.mark.parametrize("measure", [LATENCY, THROUGHPUT])
def test_a_missing_end_stays_missing(measure):
    frame = case_frame({"latency_low_s": math.nan, "latency_high_s": math.nan})
    assert measure.bounds(frame) == [(None, None)]


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_an_axis_holds_all_values_with_their_intervals(measure):
    axis = measure.axis(FRAME)
    low, high = (10**end for end in axis["range"])
    ends = [*measure.values(FRAME), *(end for bounds in measure.bounds(FRAME) for end in bounds if end)]
    assert low < min(ends)
    assert max(ends) < high
    assert axis["type"] == "log"
    assert axis["title"] == {"text": measure.title}
