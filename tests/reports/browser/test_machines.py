"""A page of more machines than a chart can tell apart."""

import itertools

import pytest
from msgspec import structs

from reports.page import page
from results.storage.reader import Records, RunFile

MODELS = {"resnet18": 0.70, "resnet34": 0.73, "resnet50": 0.81, "resnet101": 0.82, "resnet152": 0.83}
NAMED = """(chart) => [...chart.querySelectorAll(".textpoint text")].map((text) => text.getBoundingClientRect())
    .filter(({ width }) => width > 0).map(({ left, right, top, bottom }) => ({ left, right, top, bottom }))"""
"""The boxes of the names of a chart's points."""
LOOKS = """(chart) => chart.data.filter(({ meta, x }) => meta?.front && x.length)
    .map(({ meta, line, marker }) => [meta.machine, line.color, line.dash, marker.symbol])"""
"""Machine and style of each front of a chart."""


@pytest.fixture
def crowd(pages, make_case, make_record, make_run, make_static):
    """The page of nine machines, of which m0 is the fastest."""
    path = pages / "crowd.html"
    if not path.exists():
        statics = tuple(make_static(model, imagenet_top1=top1) for model, top1 in MODELS.items())
        files = []
        for index in range(9):
            records = tuple(
                make_record(
                    make_case(model=model, layout=layout), latency_s=(1 + index) * (1 + place) * 0.01 * slowness
                )
                for place, model in enumerate(MODELS)
                for layout, slowness in (("nchw", 1.0), ("nhwc", 1.3))
            )
            run = make_run(plan=[record.case for record in records], run_id=f"run{index}")
            run = structs.replace(run, environment=structs.replace(run.environment, cpu=f"m{index}"))
            file = pages / f"{index}.jsonl"
            files.append(RunFile(path=file, run=run, statics=statics, records=records, complete=True, problems=()))
        page.write_page(Records(tuple(files)), path)
    return path


def drawn(tab, draw, count):
    """The styles of the fronts of the chart, once it has so many."""
    draw(tab, "accuracy")
    tab.wait_for_function(f"({LOOKS})(document.getElementById('chart-accuracy')).length === {count}")
    return tab.locator("#chart-accuracy").evaluate(LOOKS)


def test_a_chart_shows_machines_that_can_be_told_apart_and_the_filter_any_of_them(visit, crowd, draw):
    tab = visit(crowd)
    first = drawn(tab, draw, 5)
    assert sorted(machine for machine, *_ in first) == ["m0", "m1", "m2", "m3", "m4"]
    legend = tab.locator("#chart-accuracy .legendtext").all_text_contents()
    assert sorted(legend) == ["m0", "m1", "m2", "m3", "m4"]
    for machine in ("m1", "m6"):  # of the same style in two groups
        tab.locator(f'#facets input[name="f.machine"][value="{machine}"]').check()
    both = drawn(tab, draw, 2)
    assert sorted(machine for machine, *_ in both) == ["m1", "m6"]
    for place in (1, 2, 3):
        assert len({look[place] for look in first}) == 5
        assert len({look[place] for look in both}) == 2
    strengths = tab.locator("#chart-accuracy").evaluate(
        "(chart) => chart.data.flatMap(({ meta, marker }) => (meta?.rows?.length ? marker.opacity : []))"
    )
    assert strengths.count(1) == 2 * len(MODELS)
    assert max(strength for strength in strengths if strength != 1) < 0.5


@pytest.mark.parametrize("width", [400, 800, 1400])
def test_no_name_lies_on_another(visit, crowd, draw, width):
    tab = visit(crowd, viewport={"width": width, "height": 900})
    draw(tab, "accuracy")
    boxes = tab.locator("#chart-accuracy").evaluate(NAMED)
    assert boxes
    for one, other in itertools.combinations(boxes, 2):
        apart = one["right"] <= other["left"] or other["right"] <= one["left"]
        assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
