import re
import shutil
import subprocess

import pytest

from reports import page

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


@pytest.mark.skipif(BROWSER is None, reason="no Chromium found; install it to check that the figures are drawn")
def test_a_browser_draws_every_figure_without_an_error(make_records, tmp_path):
    text = page.render(make_records(tmp_path / "runs"))
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    ran = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    drawn = re.findall(r'<div class="chart js-plotly-plot" id="chart-(\w+)"', ran.stdout)
    assert drawn == re.findall(r'data-chart="(\w+)"', text)
    assert ran.stdout.count('class="main-svg"') >= len(drawn)
    # The script counts the cases last, so everything before it went well.
    assert re.search(r">(\d+) of \1 cases</output>", ran.stdout)
    assert not [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
