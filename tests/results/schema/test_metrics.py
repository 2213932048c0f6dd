from results.schema.lines.record import Facts
from results.schema.metric import STATIC
from results.schema.metrics import BOUNDS, METRICS, RUN, TIMED
from results.schema.units import UNITS


def test_no_name_is_declared_twice():
    assert len(METRICS) == len(TIMED) + len(RUN) + len(STATIC)
    assert not {*METRICS} & {*BOUNDS}


def test_units_are_declared():
    assert {metric.unit for metric in METRICS.values()} <= {*UNITS}


def test_every_fact_of_a_process_is_a_metric():
    assert {*Facts.__struct_fields__} <= {*METRICS}


def test_bounds_have_the_unit_of_their_metric():
    ends = {end: metric.unit for metric in METRICS.values() for end in metric.bounds or ()}
    assert ends == BOUNDS
    assert BOUNDS["latency_low_s"] == "s"


def test_what_a_terminal_shows_the_page_shows_too():
    assert all("cases" in metric.tables for metric in METRICS.values() if metric.terminal)
