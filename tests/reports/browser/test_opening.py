import json
import re

import pytest

from reports.chapters import FIGURES

SHOWN = {
    name
    for name, chart in FIGURES.items()
    if chart.needs not in {"training", "epoch", "profile", "memory", "search", "loading"}
} - {"energy", "savings"}
"""The page of `report` holds no trainings, profiles, searches, loadings, energies or checkpoints, nor their figures."""


def test_a_page_from_disk_draws_every_chart_and_asks_for_nothing(visit, report, draw_all):
    tab = visit(report.path)
    drawn = draw_all(tab)
    views = report.payload["charts"]
    assert set(drawn) == SHOWN
    for name, traces in drawn.items():
        assert len(traces) == len(views[name][0]["data"]), name
        # Its name for who cannot see it holds the sentence beside it.
        named = tab.get_by_role("img", name=views[name][0]["takeaway"])
        assert name in named.evaluate_all("(all) => all.map((one) => one.dataset.chart)")
        assert tab.locator(f"#takeaway-{name}").inner_text() == views[name][0]["takeaway"]
        assert tab.locator(f"#chart-{name} .main-svg").first.bounding_box()["height"] > 100, name
    assert tab.locator("#case-table [data-open]").count() == 100
    # Nothing offers to send the data anywhere.
    assert tab.locator("input[type=file], form[action], a:not([href^='#']), .modebar-btn--logo").count() == 0
    assert tab.locator("[data-title*='cloud' i], [data-title*='Chart Studio' i], [data-title*='upload' i]").count() == 0
    configured = tab.locator(".js-plotly-plot").evaluate_all("(all) => all.map((one) => one._context)")
    assert len(configured) == len(drawn)
    assert not any(
        one["showSendToCloud"] or one.get("showEditInChartStudio") or one["displaylogo"] for one in configured
    )


def test_another_choice_of_each_chart_draws(visit, report, draw):
    tab = visit(report.path)
    for select in tab.locator("select[data-view]").all():
        name = select.get_attribute("data-view")
        views = report.payload["charts"][name]
        assert select.locator("option").all_text_contents() == [view["label"] for view in views]
        select.select_option(str(len(views) - 1))
        draw(tab, name)
        tab.wait_for_function(
            "([id, count]) => document.getElementById(id).data.length === count",
            arg=[f"chart-{name}", len(views[-1]["data"])],
        )
        assert tab.locator(f"#takeaway-{name}").inner_text() == views[-1]["takeaway"]


def test_the_data_of_a_chart_stand_in_a_table(visit, report):
    tab = visit(report.path)
    for name in SHOWN:
        views = report.payload["charts"][name]
        details = tab.locator(f'details.data[data-chart="{name}"]')
        assert details.locator("tr").count() == 0
        details.locator("summary").click()
        details.locator("tbody tr").first.wait_for()
        given = details.locator("tbody tr").evaluate_all(
            "(rows) => rows.map((r) => [...r.cells].map((c) => c.textContent))"
        )
        assert given == views[0]["table"]["rows"], name
        assert details.locator("thead th").all_text_contents() == views[0]["table"]["heads"]


def test_without_a_script_answer_tables_and_front_are_there(visit, report):
    tab = visit(report.path, java_script_enabled=False)
    for line in tab.locator(".answer li").all():
        assert line.is_visible()
        assert len(line.inner_text()) > 20
    assert tab.locator(".answer li").count() >= 3
    cases = tab.locator("#cases table tbody tr")
    assert cases.count() == len(report.payload["cases"]["status"])
    assert cases.last.is_visible()
    front = tab.locator("noscript svg")
    assert front.bounding_box()["height"] > 100
    assert len(front.locator("polyline").get_attribute("points").split()) >= 2
    assert front.locator("circle.on").count() >= 2
    assert tab.locator("#static table tbody tr").first.is_visible()
    assert tab.locator(".takeaway").count() == len(SHOWN)
    for control in ("#facets", "#pick", "#search", "#download", "#theme", "select[data-view]"):
        assert not tab.locator(control).first.is_visible(), control


def test_a_page_whose_payload_is_damaged_says_so(unguarded, report, tmp_path):
    text = report.path.read_text(encoding="utf-8")
    path = tmp_path / "damaged.html"
    path.write_text(re.sub(r'(id="payload">)[^<]{100}', r"\1", text, count=1), encoding="utf-8")
    tab, did = unguarded(path)
    tab.get_by_role("alert").wait_for()
    assert "cannot unpack" in tab.get_by_role("alert").inner_text()
    assert tab.locator(".answer li").first.is_visible()
    assert all("cannot unpack" in line for line in did)  # the console has it as well


def test_a_browser_without_grouping_shows_everything(visit, report, draw):
    tab = visit(report.path, "#pick=70,,", prepare="delete Object.groupBy; delete Map.groupBy")
    assert draw(tab, "accuracy")
    assert tab.locator("#case-table [data-open]").count() == 100
    assert tab.locator("#picked tbody tr").count() > 1


def test_a_page_whose_script_fails_says_so_and_keeps_its_text(unguarded, report):
    tab, did = unguarded(report.path, prepare="delete window.IntersectionObserver")
    tab.get_by_role("alert").wait_for()
    said = tab.get_by_role("alert").inner_text()
    assert "IntersectionObserver" in said
    assert "\n" not in said
    assert tab.locator(".answer li").first.is_visible()
    assert tab.locator("#static table tbody tr").first.is_visible()
    assert not tab.locator(".js").locator("visible=true").count()
    assert all("IntersectionObserver" in line for line in did)


def test_a_browser_that_cannot_parse_the_script_says_so(unguarded, report, tmp_path):
    text = report.path.read_text(encoding="utf-8")
    # Without the policy, which would refuse the changed script before it is parsed.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text, count=1)
    path = tmp_path / "newer.html"
    path.write_text(text.replace("(async () => {", "(async () => { let 1;", 1), encoding="utf-8")
    tab, _ = unguarded(path)
    said = tab.get_by_role("alert").inner_text()
    assert "No charts" in said
    assert "\n" not in said
    assert tab.locator(".answer li").first.is_visible()
    assert tab.locator("#static table tbody tr").first.is_visible()


def test_a_control_that_fails_says_so_and_keeps_the_page(unguarded, report):
    tab, _ = unguarded(report.path, prepare="URL.createObjectURL = () => { throw new Error('no\\nroom'); }")
    tab.wait_for_selector("html[data-ready]", state="attached")
    assert tab.get_by_role("alert").count() == 0
    tab.locator("#download").click()
    said = tab.get_by_role("alert").inner_text()
    assert "no room" in said
    assert "\n" not in said
    assert tab.locator(".answer li").first.is_visible()
    assert tab.locator("#case-table tbody tr").first.is_visible()
    tab.locator("#download").click()
    assert tab.get_by_role("alert").count() == 1


def test_a_chart_that_fails_says_so_and_the_others_are_drawn(unguarded, report):
    fails_once = "window.Plotly = { count: 0, react() { if (!this.count++) throw new Error('no canvas'); } }"
    tab, _ = unguarded(report.path, prepare=fails_once)
    tab.locator(".chart").first.scroll_into_view_if_needed()
    tab.get_by_role("alert").wait_for()
    assert "no canvas" in tab.get_by_role("alert").inner_text()
    for chart in tab.locator(".chart").all()[:4]:
        chart.scroll_into_view_if_needed()
    tab.wait_for_function("Plotly.count > 1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('<img src="http://127.0.0.1:9/pixel.png">', "request: http://127.0.0.1:9/pixel.png"),
        ("<script>fetch('http://127.0.0.1:9/').catch(() => 0)</script>", "request: http://127.0.0.1:9/"),
        ("<script>console.warn('careful')</script>", "console warning: careful"),
        ("<script>throw new Error('broken')</script>", "error: broken"),
        ("<script>alert('hello')</script>", "dialog: hello"),
        (
            '<meta http-equiv="Content-Security-Policy" content="script-src \'none\'"><script>1</script>',
            "refused script-src",
        ),
        ("<script>location.href = 'about:srcdoc'</script>", "navigation: "),
    ],
)
def test_the_guard_sees(unguarded, tmp_path, content, said):
    path = tmp_path / "bad.html"
    path.write_text(f"<!DOCTYPE html><title>bad</title>{content}", encoding="utf-8")
    tab, did = unguarded(path)
    tab.wait_for_timeout(50)
    assert any(said in line for line in did), json.dumps(did)
