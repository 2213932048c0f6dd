"""One Chromium for all tests of the page, pages made once a session, and a guard on whatever a page does unasked."""

import base64
import json
import re
import shutil
import types
import zlib

import pytest
from msgspec import structs

from reports.page import page
from results.storage import reader

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MACHINE = "Intel Xeon 8481C"
RUNS = {
    "20261120-003812-default-a1b2": {"started": "2026-11-20T00:38:12Z"},
    "20261121-003812-default-c3d4": {"started": "2026-11-21T00:38:12Z", "slowness": 1.02},
    "20261122-003812-default-e5f6": {"started": "2026-11-22T00:38:12Z", "slowness": 0.9},
    "20261122-103812-default-0718": {"started": "2026-11-22T10:38:12Z", "slowness": 0.4},
}
"""Three dates of one machine, which are a history, and one of `MACHINE`."""

# Chromium tells the console of a refusal, but not in every case: a policy of reports only says nothing there.
REFUSALS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`refused ${event.violatedDirective} ${event.blockedURI}`))"""


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright; install the extra dev")
    if CHROMIUM is None:
        pytest.skip("no Chromium found; install it to check what the page does in a browser")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The folder of pages that are made once."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def report(pages, make_records, make_run):
    """The page of `RUNS`: its file, the folder of its run files, and what its script was given."""
    path, runs = pages / "report.html", pages / "runs"
    if not runs.exists():
        usual = make_run().environment
        for run_id, fields in RUNS.items():
            cpu = MACHINE if run_id == list(RUNS)[-1] else usual.cpu
            make_records(runs, run_id=run_id, environment=structs.replace(usual, cpu=cpu), **fields)
    if not path.exists():
        page.write_page(reader.load(runs), path)
    return types.SimpleNamespace(path=path, runs=runs, payload=unpacked(path))


def unpacked(path):
    packed = re.search(r'id="payload">([^<]*)</script>', path.read_text(encoding="utf-8"))[1]
    return json.loads(zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS))


@pytest.fixture
def unguarded(browser):
    """Opens a file in a browser window of its own without a network, and gives it with all that it did unasked."""
    contexts = []

    def open_(path, fragment="", *, prepare=None, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(20_000)
        context.add_init_script(REFUSALS)
        if prepare:
            context.add_init_script(prepare)
        context.set_offline(True)
        tab, did = context.new_page(), []

        def heard(message):
            if message.type in {"error", "warning"}:
                did.append(f"console {message.type}: {message.text}")

        def asked(dialog):
            did.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        def requested(route, request):
            if request.url.partition("#")[0] == path.as_uri():
                route.continue_()
            else:
                did.append(f"request: {request.url}")
                route.abort()

        def moved(frame):
            if frame.url.partition("#")[0] not in {path.as_uri(), "about:blank"}:
                did.append(f"navigation: {frame.url}")

        context.route("**/*", requested)
        tab.on("console", heard)
        tab.on("pageerror", lambda error: did.append(f"error: {error}"))
        tab.on("dialog", asked)
        tab.on("popup", lambda other: did.append(f"window: {other.url}"))
        tab.on("framenavigated", moved)
        tab.goto(path.as_uri() + fragment)
        return tab, did

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def visit(unguarded):
    """Opens a page of ours, waits until it is ready, and fails the test if it does a thing that nobody asked for."""
    seen = []

    def open_(path, fragment="", **options):
        tab, did = unguarded(path, fragment, **options)
        seen.append(did)
        if options.get("java_script_enabled", True):
            tab.wait_for_selector("html[data-ready]", state="attached")
        return tab

    yield open_
    assert [did for did in seen if did] == []


@pytest.fixture
def draw():
    """Scrolls to a chart and gives its traces as Plotly has them, once it has drawn them."""

    def scroll(tab, name):
        chart = tab.locator(f"#chart-{name}")
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for(state="attached")
        return chart.evaluate("(chart) => chart.data.map(({ x, y, text, meta }) => ({ x, y, text, meta }))")

    return scroll


@pytest.fixture
def draw_all(draw):
    def scroll(tab):
        names = tab.locator("[data-chart].chart").evaluate_all("(charts) => charts.map((c) => c.dataset.chart)")
        return {name: draw(tab, name) for name in names if tab.locator(f"#chart-{name}").is_visible()}

    return scroll


@pytest.fixture
def rows():
    """Gives the rows of the table of cases that a page shows: their numbers, as the payload counts them."""

    def shown(tab):
        openers = tab.locator("#case-table [data-open]")
        return openers.evaluate_all("(openers) => openers.map((opener) => Number(opener.dataset.open))")

    return shown
