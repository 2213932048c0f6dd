"""A page of profiles only: their chapters are drawn, and nothing else is seen."""

import pytest

from reports.page import page
from results.storage import reader
from tests.profiles import memory, peaks, probe, profile
from tests.trainings import write_trainings


@pytest.fixture
def profiled(pages, make_run):
    path = pages / "profiles.html"
    if not path.exists():
        lines = [peaks(), profile(task="training", probes=[probe(), probe("batch_size", "2", 0.8)]), memory()]
        run = make_run(run_id="profiles", plan=(), suite="profile")
        page.write_page(reader.load(write_trainings(pages, run, lines)), path)
    return path


def test_the_chapters_of_profiles_are_drawn_and_nothing_else_is_seen(visit, draw_all, profiled):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe; install the extra dev")
    tab = visit(profiled)
    traces = draw_all(tab)
    assert set(traces) == {
        *("profile_kinds", "profile_stages", "profile_modules", "roofline", "gains", "memory_parts", "memory_step"),
    }
    seen = tab.locator("main > section:visible").evaluate_all("(sections) => sections.map(({ id }) => id)")
    assert seen == ["answer", "profile", "roofline", "memory", "method"]
    assert "layer1.0.conv1 backward" in tab.locator("#takeaway-profile_modules").inner_text()
    details = tab.locator('details.data[data-chart="roofline"]')
    details.locator("summary").click()
    details.locator("tbody tr").first.wait_for()
    assert details.locator("tbody tr").count() == 8
    options = {"resultTypes": ["violations"]}
    response = axe.Axe().run(tab, context={"exclude": [[".main-svg"]]}, options=options).response
    assert [each["id"] for each in response["violations"] if each["impact"] in {"serious", "critical"}] == []
