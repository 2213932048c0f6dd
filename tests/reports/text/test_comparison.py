import json

import pytest

from reports.text.comparison import comparison_text, varying_axes
from results.analysis.compare import compare
from results.storage.reader import load


@pytest.fixture
def comparison(tmp_path, write_run, make_record, make_case, make_run):
    """A comparison of two runs in which nhwc became slower."""

    def side(name, factor):
        times = {"nchw": 0.05, "nhwc": 0.04 * factor}
        records = [
            make_record(make_case(layout=layout), latency_s=time * (1 + 0.001 * replicate), replicate=replicate)
            for layout, time in times.items()
            for replicate in range(5)
        ]
        plan = [make_case(layout=layout) for layout in times]
        return load(write_run(tmp_path / name, records, run=make_run(plan=plan, run_id=name)))

    return compare(side("base", 1), side("new", 1.5))


def test_axes_that_vary_have_a_column(comparison, make_case):
    heads = next(line for line in comparison_text(comparison, "table").splitlines() if line.startswith("model"))
    assert heads.split()[:2] == ["model", "layout"]
    assert varying_axes([make_case(), make_case(threads=8, batch_size=1)]) == ["model", "batch_size", "threads"]


def test_people_read_times_in_ms_and_a_ratio_with_its_interval(comparison):
    rows = [line.split() for line in comparison_text(comparison, "table").splitlines() if line.startswith("resnet50")]
    base, new, ratio, low, to, high, verdict = rows[1][2:9]
    assert float(new) / float(base) == pytest.approx(1.5, rel=0.01)
    assert float(low) < float(ratio) < float(high)
    assert (to, verdict) == ("to", "slower")


def test_programs_read_everything(comparison):
    document = json.loads(comparison_text(comparison, "json"))
    assert document["outcome"] == "regression"
    assert [case["verdict"] for case in document["cases"]] == ["same", "slower"]
    assert document["cases"][1]["ratio"] == comparison.cases[1].ratio
