import statistics

import numpy as np
import pytest

from results.statistics.segments import Segments

SERIES = ([3.0, 1.0, 2.0], [5.0], [4.0, 4.0, 1.0, 9.0], [7.0, 6.0, 8.0], [2.0, 1.0])


@pytest.fixture
def series():
    return Segments(np.array([len(one) for one in SERIES]))


@pytest.fixture
def values():
    return np.array([value for one in SERIES for value in one])


def test_each_series_is_summed_and_ordered_alone(series, values):
    assert series.sums(values).tolist() == [sum(one) for one in SERIES]
    assert series.ordered(values).tolist() == [value for one in SERIES for value in sorted(one)]


def test_medians_are_those_of_the_standard_library(series, values):
    assert series.medians(values).tolist() == [statistics.median(one) for one in SERIES]


@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 1.0])
def test_quantiles_are_those_of_numpy(series, values, q):
    assert series.quantiles(series.ordered(values), q).tolist() == [np.quantile(one, q) for one in SERIES]


def test_what_is_known_of_a_series_is_given_to_each_of_its_values(series):
    assert series.each(np.array([1, 2, 3, 4, 5])).tolist() == [1, 1, 1, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5]


def test_medians_leave_out_what_is_not_known(series, values):
    values[[0, 3, 5]] = np.nan  # of the first a part, of the second all, of the third a part
    known = [[one for one in row if one == one] for row in np.split(values, series.starts[1:])]  # noqa: PLR0124
    expected = [statistics.median(row) if row else np.nan for row in known]
    assert series.known_medians(values) == pytest.approx(expected, nan_ok=True)
    assert np.isnan(series.known_medians(np.full(len(values), np.nan))).all()


def test_geometric_means_are_those_of_the_standard_library_and_of_one_value_that_value(series, values):
    found = series.geometric_means(values)
    assert found == pytest.approx([statistics.geometric_mean(row) for row in np.split(values, series.starts[1:])])
    assert found[1] == 5.0
    assert Segments(np.array([3])).geometric_means(np.array([0.1, 0.1, 0.1])).tolist() == [0.1]


def test_medians_of_huge_values_are_no_infinity():
    huge = np.array([1.7e308, 1.7e308, 1.6e308])
    assert Segments(np.array([1, 2])).medians(huge).tolist() == pytest.approx([1.7e308, 1.65e308])
    assert Segments(np.array([3])).medians(huge).tolist() == [1.7e308]
