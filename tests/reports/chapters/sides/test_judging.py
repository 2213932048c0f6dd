import math
import statistics

import pytest
from scipy import stats

from reports.chapters.sides.judging import degrees, difference, significant
from results.statistics.difference import Difference
from results.statistics.intervals import TURNS_FOR_INTERVAL
from results.storage import reader
from tests.reports.sources import source_of

A = (1.0, 1.2, 1.1, 1.3)
B = (2.0, 2.5, 2.1, 2.2, 2.6, 2.4)


def _side(values):
    """The half-width of the 95 % interval of the mean of the logs, and its degrees of freedom."""
    logs = [math.log(value) for value in values]
    free = len(logs) - 1
    return float(stats.t.ppf(0.975, free)) * statistics.stdev(logs) / math.sqrt(len(logs)), free


def test_the_difference_is_welchs():
    logs = [[math.log(value) for value in values] for values in (B, A)]
    welch = stats.ttest_ind(*logs, equal_var=False)
    ratio = math.exp(statistics.mean(logs[0]) - statistics.mean(logs[1]))
    change = difference(ratio, [_side(A), _side(B)])
    assert change.log == pytest.approx(math.log(ratio))
    assert change.log / change.error == pytest.approx(welch.statistic)
    assert change.degrees == pytest.approx(welch.df)


def test_both_sides_widen_the_interval():
    sides = [(0.01, 5.0), (0.02, 5.0)]
    change = difference(1.0, sides)
    single = [difference(1.0, [side, (0.0, 5.0)]).error for side in sides]
    assert change.error == pytest.approx(math.hypot(*single))


@pytest.mark.parametrize(
    ("ratio", "halves"), [(1.1, (0.0, 0.0)), (1.1, (math.nan, 0.1)), (math.nan, (0.1, 0.1)), (0.0, (0.1, 0.1))]
)
def test_what_has_no_interval_or_no_ratio_is_not_judged(ratio, halves):
    assert difference(ratio, [(half, 3.0) for half in halves]) is None


def _change(ratio, error):
    return Difference(log=math.log(ratio), error=error, degrees=30.0)


def test_only_ratios_beyond_the_margin_are_significant():
    changes = [_change(1.10, 0.001), _change(0.90, 0.001), _change(1.015, 0.001), _change(1.10, 0.2)]
    assert significant(changes) == [True, True, False, False]


def test_the_number_of_cases_is_corrected_for():
    lone = _change(1.05, 0.01)
    assert significant([lone]) == [True]
    assert significant([lone, *[_change(1.0, 0.01)] * 60])[0] is False


def test_a_case_without_a_difference_is_not_significant_and_counts_for_nothing():
    sure = _change(1.05, 0.01)
    assert significant([None, sure, *[None] * 60]) == [False, True, *[False] * 60]
    assert significant([]) == []


@pytest.fixture
def degrees_of(tmp_path, make_record, write_run):
    def make(*records):
        loaded = reader.load(write_run(tmp_path, records))
        return degrees(loaded, source_of(loaded).cases)

    return make


def test_replicates_are_independent(degrees_of, make_record):
    assert degrees_of(*(make_record(replicate=index) for index in range(5))) == [4]


def test_a_replicate_that_failed_tells_nothing(degrees_of, make_record):
    sound = [make_record(replicate=index) for index in range(4)]
    assert degrees_of(*sound, make_record(replicate=4, status="crash", cause="x")) == [3]


def test_turns_of_a_process_count_half(degrees_of, make_record):
    assert degrees_of(make_record(turns=41, warmup=0)) == [20]


def test_turns_of_the_warm_up_do_not_count(degrees_of, make_record):
    assert degrees_of(make_record(turns=45, warmup=8)) == [20]  # two steps a turn


def test_an_interval_of_unknown_origin_has_the_fewest_degrees(degrees_of, make_record):
    fewest = [(TURNS_FOR_INTERVAL - 1) / 2]
    assert degrees_of(make_record(status="crash", cause="x")) == fewest
