import html
import json
import re
import shutil
import subprocess

import pytest

from reports import page
from reports.theme import PAPER

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=8000",
    "--window-size=1280,900",
)


pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium found; install it to check that the page draws, sorts and filters"
)

# Stands in for the system's light and dark, which a browser without a window has no switch for.
FAKE_THEME = """<script>
const listeners = [];
const dark = { matches: false, addEventListener: (_, listener) => listeners.push(listener) };
const real = matchMedia.bind(window);
window.matchMedia = (query) => (query.includes("color-scheme") ? dark : real(query));
</script>"""
USE = """<script>
const found = {};
const rows = () => [...document.querySelectorAll("#case-table tbody tr")].filter((row) => !row.hidden);
const heads = [...document.querySelectorAll("#case-table th")];
const column = heads.findIndex((head) => head.textContent === "latency");
const keys = () => rows().map((row) => row.cells[column].dataset.sort ?? null);
const button = heads[column].querySelector("button");
button.click();
found.ascending = keys();
button.click();
found.descending = keys();
found.sort = heads[column].getAttribute("aria-sort");
const filter = document.getElementById("filter");
filter.value = "RESNET18 training";
filter.dispatchEvent(new Event("input"));
found.filtered = rows().map((row) => row.textContent);
found.count = document.getElementById("count").value;
const paper = () => document.getElementById("chart-macs").layout.template.layout.paper_bgcolor;
found.light = paper();
dark.matches = true;
listeners.forEach((listener) => listener());
found.dark = paper();
document.body.dataset.found = JSON.stringify(found);
</script>"""


def visit(text, folder):
    """Return what a browser made of the page, and what it said to its console."""
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    ran = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    return ran.stdout, [line for line in ran.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture
def text(make_records, tmp_path):
    return page.render(make_records(tmp_path / "runs"))


def test_a_browser_draws_every_figure_without_an_error(text, tmp_path):
    document, said = visit(text, tmp_path)
    drawn = re.findall(r'<div class="chart js-plotly-plot" id="chart-(\w+)"', document)
    assert drawn == re.findall(r'data-chart="(\w+)"', text)
    assert document.count('class="main-svg"') >= len(drawn)
    # The script counts the cases last, so everything before it went well.
    assert re.search(r">(\d+) of \1 cases</output>", document)
    assert said == []


def test_the_page_sorts_filters_and_follows_the_theme(text, tmp_path):
    # The page's own policy forbids scripts that are not its own.
    open_text = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', lambda _: FAKE_THEME, text, count=1)
    document, said = visit(open_text.replace("</body>", f"{USE}</body>"), tmp_path)
    found = json.loads(html.unescape(re.search(r'data-found="([^"]*)"', document)[1]))
    values = [float(key) for key in found["ascending"] if key is not None]
    missing = [None] * found["ascending"].count(None)
    assert missing
    assert values == sorted(values)
    assert found["ascending"][-len(missing) :] == found["descending"][-len(missing) :] == missing
    assert [float(key) for key in found["descending"][: -len(missing)]] == values[::-1]
    assert found["sort"] == "descending"
    assert found["filtered"]
    assert all("resnet18" in row and "training" in row for row in found["filtered"])
    assert found["count"].startswith(f"{len(found['filtered'])} of ")
    assert (found["light"], found["dark"]) == (PAPER["light"], PAPER["dark"])
    assert said == []
