"""What the intervals cannot tell apart: the choice of "pick for me", and neighbours in the table of cases."""

import itertools

import pytest

from reports.page import page
from results.storage import reader
from tests.reports.browser.conftest import unpacked

RUNS = {"run-a": 1.0, "run-b": 1.0005}
"""Runs of a machine, and how slow they are."""
TIMES = {"resnet50": 0.05, "resnext50_32x4d": 0.0501, "wide_resnet50_2": 0.0503, "resnet101": 0.09}
LEGEND = "≈ cannot be told apart from the row above: their 95 % intervals overlap."


@pytest.fixture
def near(tmp_path, make_case, make_record, make_run, make_statics, write_run):
    """The page of variants of which three are about equally fast."""
    for name, slow in RUNS.items():
        made = [
            make_record(
                make_case(model=model, batch_size=batch),
                replicate=index,
                latency_s=slow * latency * batch / 8 * (1 + 0.004 * ((index * (row + 2)) % 3 - 1)),
                noise=0.001,
            )
            for index in range(3)
            for batch in (8, 16)
            for row, (model, latency) in enumerate(TIMES.items())
        ]
        run = make_run(plan=dict.fromkeys(record.case for record in made), run_id=name)
        write_run(tmp_path, made, make_statics(), run=run)
    return page.write_page(reader.load(tmp_path), tmp_path / "near.html")


def test_a_pick_names_what_is_within_its_uncertainty(visit, near):
    tab = visit(near)
    said = tab.locator("#pick-said")
    tab.locator("#pick-accuracy").fill("80")
    assert "Within the uncertainty of the first: " in said.inner_text()
    rivals = said.inner_text().partition("Within the uncertainty of the first: ")[2]
    assert "resnext50_32x4d" in rivals or "resnet50" in rivals
    assert "resnet101" not in rivals
    tab.locator("#pick-accuracy").fill("81.7")  # only the slow variant is left
    assert "uncertainty" not in said.inner_text().replace("resnet101", "") or "run-" in said.inner_text()


def marks(tab):
    """The numbers of the rows that stand in the table, and whether each has the mark."""
    return tab.locator("#case-table tbody tr").evaluate_all(
        "(lines) => lines.map((line) => [Number(line.querySelector('[data-open]').dataset.open),"
        " line.querySelector('.alike') !== null])"
    )


@pytest.mark.parametrize("column", ["latency_s", "throughput_img_per_s", "relative"])
def test_neighbours_within_the_uncertainty_are_marked(visit, near, column):
    cases = unpacked(near)["cases"]
    assert any(cases["spans"]["relative"])
    tab = visit(near)
    legend = tab.locator("#alike")
    assert not legend.is_visible()
    assert not any(mark for _, mark in marks(tab))
    tab.locator(f'#case-table th[data-column="{column}"] button').click()
    shown = marks(tab)
    assert len(shown) == len(cases["status"])
    assert not shown[0][1]
    models = cases["cells"]["model"]["text"]
    for (before, _), (row, mark) in itertools.pairwise(shown):
        if (models[before] == "resnet101") != (models[row] == "resnet101") and column != "latency_s":
            assert not mark
    assert {mark for _, mark in shown} == {True, False}
    assert legend.inner_text() == LEGEND
    assert tab.locator("#case-table .alike").first.get_attribute("title") == LEGEND.removeprefix("≈ ").rstrip(".")
    tab.locator('#case-table th[data-column="model"] button').click()
    assert not legend.is_visible()
    assert not any(mark for _, mark in marks(tab))
