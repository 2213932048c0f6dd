import functools

import pytest

from reports.chapters.history.overtime import of_history, over_time
from results.analysis.history import frame, history
from results.schema.lines.record import Noise
from tests.results.histories import make_history, spreads

NOISE = spreads(24, spread=0.003)
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def make(make_record, make_run):
    """The frame of one series over time, from its latencies in seconds."""
    records = functools.partial(make_history, make_record, make_run)
    return lambda latencies, **more: frame(history(records(latencies, **more)))


@pytest.fixture
def rows(make):
    """+8 % at run 10, most of which goes at run 16; run 3 failed, and run 5 was disturbed."""

    def each(index):
        record = {"status": "crash", "cause": HOSTILE} if index == 3 else {}
        return {
            "record": record | ({"signs": Noise(other_cpus=2.0)} if index == 5 else {}),
            "environment": {"torch": HOSTILE if index >= 10 else "2.4.0"},
        }

    return make([0.05 * n * (1 if i < 10 else 1.08 if i < 16 else 1.02) for i, n in enumerate(NOISE)], each=each)


def _traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_every_run_is_a_point_in_milliseconds_at_its_date(rows):
    traces = _traces(over_time(rows))
    assert len(traces["run"].x) == 22
    assert traces["run"].x[0] == "2026-01-01T00:00:00Z"
    assert traces["run"].y[0] == pytest.approx(50 * NOISE[0], rel=0.01)
    assert all(end > 0 for end in (*traces["run"].error_y.array, *traces["run"].error_y.arrayminus))


def test_a_noisy_run_is_hollow_and_a_failed_one_a_cross_at_the_bottom(rows):
    figure = over_time(rows)
    traces = _traces(figure)
    assert traces["run with signs of noise"].marker.symbol == "circle-open"
    assert traces["run with signs of noise"].x == ("2026-01-16T00:00:00Z",)
    assert "signs of noise: busy" in traces["run with signs of noise"].customdata[0]
    failed = traces["run without a latency"]
    assert (failed.marker.symbol, failed.x) == ("x", ("2026-01-10T00:00:00Z",))
    assert 10 ** figure.layout.yaxis.range[0] < failed.y[0] < min(traces["run"].y)


def test_levels_are_horizontal_lines_from_their_first_run_to_their_last(rows):
    level = _traces(over_time(rows))["level"]
    assert len(level.x) == 9
    for start in (0, 3, 6):
        assert level.y[start] == level.y[start + 1]
        assert level.x[start] < level.x[start + 1]
    assert level.y[3] / level.y[0] == pytest.approx(1.08, rel=0.01)


def test_changes_are_marked_with_their_ratio(rows):
    layout = over_time(rows).layout
    assert [shape.x0 for shape in layout.shapes] == ["2026-01-31T00:00:00Z", "2026-02-18T00:00:00Z"]
    assert all(shape.x0 == shape.x1 for shape in layout.shapes)
    assert [float(note.text.strip("<b>/×")) for note in layout.annotations] == pytest.approx(
        [1.08, 1.02 / 1.08], abs=0.01
    )


def test_all_lies_within_the_axes(rows):
    layout = over_time(rows).layout
    low, high = layout.xaxis.range
    assert low < rows["started"].min()
    assert high > rows["started"].max()
    assert 10 ** layout.yaxis.range[0] < 1e3 * rows["low"].min()
    assert 10 ** layout.yaxis.range[1] > 1e3 * rows["high"].max()


def test_hostile_text_only_shows(rows):
    text = over_time(rows).to_json()
    assert "<img" not in text.replace("\\u003c", "<")
    assert "&lt;img" in text.replace("\\u003c", "<").replace("\\u0026", "&")


def test_a_long_environment_is_cut(make):
    def each(index):
        values = {f"V{place}": f"{index >= 5}" * 100 for place in range(50)}
        return {"environment": {"variables": values}}

    rows = make([0.05 * n * (1.2 if i >= 5 else 1) for i, n in enumerate(NOISE[:10])], each=each)
    assert "and 47 more" in of_history(rows)
    assert len(of_history(rows)) < 700
    assert "and 42 more" in over_time(rows).layout.annotations[0].hovertext


def test_a_single_run_has_a_figure_of_at_least_a_day(make):
    figure = over_time(make([0.05]))
    assert [end[:10] for end in figure.layout.xaxis.range] == ["2025-12-31", "2026-01-01"]
    assert len(_traces(figure)["run"].x) == 1


def test_where_all_failed_there_are_crosses_and_no_numbers(make):
    rows = make([0.05] * 3, each=lambda _: {"record": {"status": "timeout", "cause": "hung"}})
    figure = over_time(rows)
    assert len(_traces(figure)["run without a latency"].x) == 3
    assert figure.layout.yaxis.showticklabels is False
    said = of_history(rows)
    assert said.startswith("Too few runs ")
    assert "0 runs with a latency" in said


def test_the_takeaway_is_the_biggest_change_and_what_else_changed(rows):
    said = of_history(rows)
    assert said.startswith("resnet50 takes 1.08")
    assert "as long from 2026-01-31 on (torch: 2.4.0 became <img" in said  # the page escapes it
    assert said.index("2 changes") < said.index("23 runs") < said.index("1.02×")


def test_the_takeaway_without_a_change(make):
    said = of_history(make([0.05 * noise for noise in NOISE[:12]]))
    assert said.startswith("resnet50 shows no change of level ")
    assert said.index("2026-01-01") < said.index("2026-02-03") < said.index("12 runs")


def test_the_takeaway_of_one_change(make):
    said = of_history(make([0.05 * n * (1.2 if i >= 6 else 1) for i, n in enumerate(NOISE[:12])]))
    assert said.startswith("resnet50 takes 1.197× (±")
    assert "(nothing in the environment)" in said
    assert "only change of level in 12 runs" in said


def test_the_commit_is_in_the_box_of_a_run_and_of_a_change(make):
    def each(index):
        return {"environment": {"tool_commit": "a" * 40 if index < 6 else "b" * 40}}

    figure = over_time(make([0.05 * n * (1.2 if i >= 6 else 1) for i, n in enumerate(NOISE[:12])], each=each))
    assert f"commit {'a' * 40}" in _traces(figure)["run"].customdata[0]
    assert f"tool_commit: {'a' * 40} became {'b' * 40}"[:90] in figure.layout.annotations[0].hovertext
