import pytest

from results.schema.metrics import METRICS
from results.schema.units import UNITS


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_scales_fall_and_their_names_differ(unit):
    factors = [factor for factor, _ in unit.scales]
    assert factors == sorted(factors, reverse=True)
    assert len({name for _, name in unit.scales}) == len(factors)


def test_names_of_metrics_end_in_their_unit_where_they_name_it():
    times = [name for name, metric in METRICS.items() if metric.unit == "s"]
    assert times
    assert all(name.endswith(f"_{UNITS['s'].suffix}") for name in times)
