"""What the intervals cannot tell apart: the choice of "pick for me", and neighbours in the table of cases."""

import itertools

import pytest

from reports.page import page
from results.storage import reader
from tests.reports.browser.conftest import unpacked

TIMES = {"resnet50": 0.05, "resnext50_32x4d": 0.0501, "wide_resnet50_2": 0.0502, "resnet101": 0.09}
LEGEND = "≈ cannot be told apart from the row above: their 95 % intervals overlap."
RIVALS = "Within the uncertainty of the first: "


@pytest.fixture
def near(tmp_path, make_case, make_record, make_run, make_statics, write_run):
    """Makes the page of three variants that are about equally fast and a slow one, on a machine that drifts."""

    def make(*runs):
        for name in runs:
            made = [
                make_record(
                    make_case(model=model, batch_size=batch),
                    replicate=index,
                    latency_s=latency * batch / 8 * (1 + 0.2 * index) * (1 + 0.004 * ((index * (row + 2)) % 3 - 1)),
                    noise=0.001,
                )
                for index in range(3)
                for batch in (8, 16)
                for row, (model, latency) in enumerate(TIMES.items())
            ]
            run = make_run(plan=dict.fromkeys(record.case for record in made), run_id=name)
            write_run(tmp_path, made, make_statics(), run=run)
        return page.write_page(reader.load(tmp_path), tmp_path / "near.html")

    return make


def rivals(tab):
    return tab.locator("#pick-said").inner_text().partition(RIVALS)[2]


def test_a_pick_names_what_is_within_its_uncertainty(visit, near):
    tab = visit(near("run-a"))
    tab.locator("#pick-accuracy").fill("80")
    first = tab.locator("#picked [data-open]").first.inner_text()
    assert sorted([first, *rivals(tab).removesuffix(".").split(", ")]) == sorted(set(TIMES) - {"resnet101"})
    tab.locator("#pick-accuracy").fill("81.7")
    assert tab.locator("#pick-said").inner_text().endswith("fastest first.")


def test_a_pick_by_accuracy_has_only_equally_accurate_rivals(visit, near):
    tab = visit(near("run-a"))
    tab.locator("#pick-latency").fill("500")
    assert rivals(tab) == ""


def test_cases_of_different_runs_share_no_drift(visit, near):
    tab = visit(near("run-a", "run-b"))
    tab.locator("#pick-accuracy").fill("81.7")
    assert rivals(tab).startswith("resnet101 on ")


def marks(tab):
    """The numbers of the rows that stand in the table, and whether each has the mark."""
    return tab.locator("#case-table tbody tr").evaluate_all(
        "(lines) => lines.map((line) => [Number(line.querySelector('[data-open]').dataset.open),"
        " line.querySelector('.alike') !== null])"
    )


@pytest.mark.parametrize("column", ["latency_s", "throughput_img_per_s", "relative"])
def test_neighbours_within_the_uncertainty_are_marked(visit, near, column):
    path = near("run-a")
    cases = unpacked(path)["cases"]
    models, sizes = cases["cells"]["model"]["text"], cases["facets"]["batch"]
    tab = visit(path)
    legend = tab.locator("#alike")
    assert not legend.is_visible()
    assert not any(mark for _, mark in marks(tab))
    tab.locator(f'#case-table th[data-column="{column}"] button').click()

    def level(row):
        """What is about equally fast: of the same step for a latency, of an image for the others."""
        return (models[row] == "resnet101", sizes[row] if column == "latency_s" else None)

    shown = marks(tab)
    assert len(shown) == 2 * len(TIMES)
    alike = [level(before) == level(row) for (before, _), (row, _) in itertools.pairwise(shown)]
    assert [mark for _, mark in shown] == [False, *alike]
    assert set(alike) == {True, False}
    assert legend.inner_text() == LEGEND
    assert tab.locator("#case-table .alike").first.get_attribute("title") == LEGEND.removeprefix("≈ ").rstrip(".")
    tab.locator('#case-table th[data-column="model"] button').click()
    assert not legend.is_visible()
    assert not any(mark for _, mark in marks(tab))
