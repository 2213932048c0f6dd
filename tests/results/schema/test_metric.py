import pytest

from results.schema.metric import cost_metric, count_metric, peak_metric, steps_metric, time_metric

WORDS = ("name", "label", "what it is")


@pytest.mark.parametrize(
    ("make", "unit", "combine", "whole"),
    [
        (time_metric, "s", "median", False),
        (steps_metric, "1", "run", False),
        (peak_metric, "B", "max", True),
        (count_metric, "1", "max", True),
    ],
)
def test_the_usual_metrics_say_how_replicates_combine(make, unit, combine, whole):
    metric = make(*WORDS)
    assert (metric.unit, metric.combine, metric.whole, metric.better) == (unit, combine, whole, "lower")


def test_more_replaces_what_is_usual():
    assert time_metric(*WORDS, combine="known").combine == "known"
    assert not cost_metric("name", "1", "label", "what it is", whole=False).whole
