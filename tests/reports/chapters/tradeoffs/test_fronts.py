import pytest

from reports.chapters.tradeoffs.chapter import CHAPTER
from reports.chapters.tradeoffs.fronts import FADED, MOST_POINTS, NAMED_POINTS, PALE, accuracy_against, with_accuracy
from reports.chapters.tradeoffs.picks import cheapest, fastest
from reports.style.machines import grouped
from reports.style.measures import LATENCY, MEMORY, THROUGHPUT
from results.storage.reader import Records
from tests.reports.sources import source_of

DRAWN = {
    "throughput": (THROUGHPUT, fastest),
    "latency": (LATENCY, cheapest(LATENCY, "answers soonest")),
    "memory": (MEMORY, cheapest(MEMORY, "needs the least memory")),
}


@pytest.fixture
def frame(make_records, tmp_path):
    """Two machines of one kind of CPU, the second half as fast."""
    one = make_records(tmp_path / "one", run_id="one")
    two = make_records(tmp_path / "two", run_id="two", slowness=2.0)
    return source_of(Records((*one.files, *two.files))).cases


@pytest.mark.parametrize("name", DRAWN)
def test_on_the_front_is_what_nothing_on_its_machine_beats(name, frame):
    measure, _ = DRAWN[name]
    rows = with_accuracy(measure)(frame)
    assert set(rows["task"]) == {"inference"}
    sign = 1 if measure.better == "higher" else -1
    assert rows["front"].any()
    assert not rows["front"].all()
    for _, group in rows.groupby("machine"):
        for row in group.itertuples():
            cost = sign * group[measure.column]
            mine = sign * getattr(row, measure.column)
            beaten = (
                (cost >= mine)
                & (group["imagenet_top1"] >= row.imagenet_top1)
                & ((cost > mine) | (group["imagenet_top1"] > row.imagenet_top1))
            ).any()
            assert not (row.front and beaten)
            if not beaten:  # an equal of it is on the front
                assert group.loc[group["imagenet_top1"].eq(row.imagenet_top1), "front"].any()


@pytest.mark.parametrize("name", DRAWN)
def test_every_point_knows_its_case_and_every_front_its_machine(name, frame):
    measure, say = DRAWN[name]
    rows = with_accuracy(measure)(frame)
    figure = accuracy_against(measure)(rows)
    fronts = [trace for trace in figure.data if "front" in trace.meta]
    dots = [trace for trace in figure.data if "rows" in trace.meta]
    assert len(fronts) + len(dots) == len(figure.data)
    assert sorted(row for trace in dots for row in trace.meta["rows"]) == sorted(rows["row"])
    by_row = frame.set_index("row")
    for trace in dots:
        assert len(trace.x) == len(trace.y) == len(trace.text) == len(trace.meta["rows"])
        for x, y, row in zip(trace.x, trace.y, trace.meta["rows"], strict=True):
            assert x == pytest.approx(measure.factor * by_row.loc[row, measure.column])
            assert y == pytest.approx(100 * by_row.loc[row, "imagenet_top1"])
    assert {trace.meta["machine"] for trace in fronts} == set(rows["machine"])
    assert {trace.meta["front"]["x"] for trace in fronts} == {measure.better}
    assert len({trace.line.dash for trace in fronts}) == 2
    for trace in fronts:
        assert list(trace.x) == sorted(trace.x)
        assert list(trace.y) == sorted(trace.y, reverse=measure.better == "higher")
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == list(
        dict.fromkeys(trace.meta["machine"] for trace in fronts)
    )
    for trace in dots:
        on = {x for x, strength in zip(trace.x, trace.marker.opacity, strict=True) if strength == 1}
        (front,) = (other for other in fronts if other.meta["machine"] == trace.meta["machine"])
        assert on == set(front.x)
        assert set(trace.marker.opacity) == {1, FADED}
        assert (trace.marker.color, trace.marker.symbol) == (front.line.color, front.marker.symbol)
    assert say(rows).endswith(").")


def test_of_many_points_only_those_on_a_front_are_named(frame):
    rows = with_accuracy(THROUGHPUT)(frame)
    assert len(rows) > NAMED_POINTS
    front = set(rows.loc[rows["front"], "row"])
    figure = accuracy_against(THROUGHPUT)(rows)
    named = {
        row
        for trace in figure.data
        if "rows" in trace.meta
        for row, text in zip(trace.meta["rows"], trace.text, strict=True)
        if text
    }
    assert named
    assert named <= front
    few = rows[rows["run"].eq("one") & rows["batch_size"].eq(1)]
    labels = [text for trace in accuracy_against(THROUGHPUT)(few).data if "rows" in trace.meta for text in trace.text]
    assert sum(map(bool, labels)) > few["front"].sum()


def test_one_machine_has_a_plain_front(frame):
    rows = with_accuracy(LATENCY)(frame[frame["run"] == "one"])
    (front,) = (trace for trace in accuracy_against(LATENCY)(rows).data if "front" in trace.meta)
    assert front.name == "Pareto front"
    assert front.mode == "lines"


def test_the_legend_of_families_is_as_strong_as_a_point_on_the_front(frame):
    rows = with_accuracy(LATENCY)(frame[frame["run"] == "one"])
    figure = accuracy_against(LATENCY)(rows)
    entries = [trace for trace in figure.data if trace.showlegend is not False and "front" not in trace.meta]
    assert [trace.marker.opacity for trace in entries] == [1] * len(entries)
    assert {trace.legendgroup for trace in entries} == {
        trace.legendgroup for trace in figure.data if "rows" in trace.meta
    }
    few = rows[rows["model"].isin(["resnet18", "resnet50", "plain34"])]
    assert len(few) <= NAMED_POINTS
    faint = {
        strength
        for trace in accuracy_against(LATENCY)(few).data
        if "rows" in trace.meta
        for strength in trace.marker.opacity
    }
    assert faint == {1, PALE}


def test_more_machines_than_styles_are_drawn_in_groups_without_two_alike(frame):
    import pandas as pd  # noqa: PLC0415

    machines = [
        frame.assign(machine=f"m{index}", throughput_img_per_s=frame["throughput_img_per_s"] / (1 + index))
        for index in range(9)
    ]
    many = pd.concat(machines, ignore_index=True)
    styles = grouped(many)
    many = many.assign(**{name: [styles[m][at] for m in many["machine"]] for at, name in enumerate(("group", "hue"))})
    views = CHAPTER.charts["accuracy"].views(many)
    assert [view.label for view in views] == ["machines 1 to 5 of 9, by speed", "machines 6 to 9 of 9, by speed"]
    assert {view.whole for view in views} == {""}
    assert [set(view.frame["machine"]) for view in views] == [
        {f"m{i}" for i in range(5)},
        {f"m{i}" for i in range(5, 9)},
    ]
    for view in views:
        fronts = [trace for trace in CHAPTER.charts["accuracy"].draw(view.frame).data if "front" in trace.meta]
        assert len({trace.line.color for trace in fronts}) == len(fronts) == view.frame["machine"].nunique()
        assert len({trace.line.dash for trace in fronts}) == len(fronts)


def test_of_too_many_points_fronts_and_the_best_stay(frame):
    import pandas as pd  # noqa: PLC0415

    sound = with_accuracy(LATENCY)(frame).drop(columns="front")
    many = pd.concat(
        [sound.assign(batch_size=8 + index, latency_s=sound["latency_s"] * (1 + index)) for index in range(60)],
        ignore_index=True,
    )
    assert len(many) > MOST_POINTS
    kept = with_accuracy(LATENCY)(many)
    assert len(kept) < MOST_POINTS
    best = many.groupby(["machine", "model"])["latency_s"].min()
    assert kept.groupby(["machine", "model"])["latency_s"].min().to_dict() == best.to_dict()
    assert set(kept.loc[kept["front"], "batch_size"]) == {8}


def test_nothing_with_an_accuracy_gives_nothing_to_draw(frame):
    assert with_accuracy(MEMORY)(frame.assign(imagenet_top1=float("nan"))).empty
    assert with_accuracy(MEMORY)(frame.iloc[:0]).empty
    assert with_accuracy(MEMORY)(frame.assign(head="segmentation")).empty, "an accuracy is that of a classifier"
