"""A page of trainings only: nothing fails although it holds no case, and readers choose the axis of the curves."""

import pytest

from reports.page import page
from results.storage import reader
from tests.trainings import degradation, training_header, write_trainings


@pytest.fixture
def trained(pages, make_case, make_run):
    path = pages / "trainings.html"
    if not path.exists():
        run = training_header(make_run, "trainings")
        page.write_page(reader.load(write_trainings(pages, run, list(degradation(make_case)))), path)
    return path


def test_the_curves_are_drawn_and_nothing_else_is_seen(visit, draw_all, trained):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe; install the extra dev")
    tab = visit(trained)
    traces = draw_all(tab)
    assert sorted(traces) == ["convergence_accuracy", "convergence_error", "convergence_final", "convergence_time"]
    assert len(traces["convergence_error"]) == 8  # four networks, each a band and a line
    seen = tab.locator("main > section:visible").evaluate_all("(sections) => sections.map(({ id }) => id)")
    assert seen == ["answer", "convergence", "method"]
    assert "The deeper plain network trains worse" in tab.locator("#takeaway-convergence_error").inner_text()
    details = tab.locator('details.data[data-chart="convergence_error"]')
    details.locator("summary").click()
    details.locator("tbody tr").first.wait_for()
    assert details.locator("tbody tr").count() == 4 * 9
    options = {"resultTypes": ["violations"]}
    found = axe.Axe().run(tab, context={"exclude": [[".main-svg"]]}, options=options).response
    assert [one["id"] for one in found["violations"] if one["impact"] in {"serious", "critical"}] == []


def test_a_reader_chooses_what_the_curves_are_drawn_against_and_a_link_says_so(visit, draw, trained):
    tab = visit(trained)
    seconds = draw(tab, "convergence_accuracy")[1]["x"][-1]
    tab.locator("#view-convergence_accuracy").select_option("images")
    tab.wait_for_function("document.getElementById('chart-convergence_accuracy').data[1].x.at(-1) < 1")
    assert seconds > 100
    assert "v.convergence_accuracy=images" in tab.url
