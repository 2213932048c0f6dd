"""The table of every case: order, search, pages, one case, copy, download."""

import csv
import io

import pandas as pd
import pytest

import results
from results.importers.writing import import_files

NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"


def sort_by(tab, column):
    tab.locator(f'#case-table th[data-column="{column}"] button').click()


def test_cases_sort_both_ways_with_what_has_no_value_last(visit, report, rows):
    tab = visit(report.path)
    for column in ("latency_s", "speedup", "model", "batch_size"):
        keys = report.payload["cases"]["cells"][column]["sort"]
        known = [row for row, key in enumerate(keys) if key is not None]
        missing = [row for row, key in enumerate(keys) if key is None]
        assert bool(missing) == (column in {"latency_s", "speedup"})
        head = tab.locator(f'#case-table th[data-column="{column}"]')
        for order in ("ascending", "descending"):
            sort_by(tab, column)
            assert head.get_attribute("aria-sort") == order
            shown = rows(tab)
            while tab.locator("#pages button").last.is_enabled():
                tab.locator("#pages button").last.click()
                shown += rows(tab)
            assert sorted(shown) == list(range(len(keys)))
            assert set(shown[len(known) :]) == set(missing)
            found = [keys[row] for row in shown[: len(known)]]
            if column == "model":  # resnet18 before resnet101
                models = list(dict.fromkeys(found))[:: 1 if order == "ascending" else -1]
                assert len(models) == len(set(keys))
                assert models.index("resnet18") < models.index("resnet50") < models.index("resnet101")
            else:
                assert found == sorted(found, reverse=order == "descending")


def test_search_finds_all_words_in_any_column(visit, report, rows):
    cases = report.payload["cases"]
    tab = visit(report.path)
    tab.locator("#search").fill("  RESNET18 training ")
    wanted = [
        row
        for row, model in enumerate(cases["cells"]["model"]["text"])
        if model == "resnet18" and cases["facets"]["task"][row] == "training"
    ]
    assert wanted
    assert rows(tab) == wanted
    assert tab.locator("#count").inner_text() == f"{len(wanted)} of {len(cases['status'])} cases"
    tab.locator("#search").fill("control group")  # said by a cause
    assert rows(tab) == [row for row, cause in enumerate(cases["cause"]) if "control group" in cause]
    tab.locator("#search").fill("emulates")  # said by a remark
    assert rows(tab) == [row for row, said in enumerate(cases["remarks"]) if "emulates" in " ".join(said)]
    tab.locator("#search").fill("no such words")
    assert rows(tab) == []
    tab.locator("#search").fill("")
    assert rows(tab) == list(range(100))


def test_pages_hold_a_hundred_cases_each(visit, report, rows):
    total = len(report.payload["cases"]["status"])
    assert 200 < total <= 300
    tab = visit(report.path)
    back, on = tab.locator("#pages button").first, tab.locator("#pages button").last
    assert back.is_disabled()
    on.click()
    assert rows(tab) == list(range(100, 200))
    tab.locator("#pages button").last.click()
    assert rows(tab) == list(range(200, total))
    assert tab.locator("#pages button").last.is_disabled()
    assert f"201–{total} of {total}" in tab.locator("#pages").inner_text()
    tab.locator("#search").fill("resnet18")
    assert rows(tab)[0] < 100
    assert not tab.locator("#pages").is_visible()


def test_each_cell_says_what_the_payload_says(visit, report):
    cases = report.payload["cases"]
    failed = next(row for row, status in enumerate(cases["status"]) if status == "out-of-memory")
    tab = visit(report.path, f"#open={failed}&q=control%20group")
    line = tab.locator(f'#case-table tr:has([data-open="{failed}"])')
    assert "failed" in line.get_attribute("class")
    assert "out-of-memory" in line.inner_text()
    assert cases["cause"][failed] in line.inner_text()
    place = [column["name"] for column in cases["columns"]].index("latency_s")
    cell = line.locator("> *").nth(place)
    assert cell.inner_text().strip() == cases["cells"]["latency_s"]["text"][failed]
    assert cell.get_attribute("title") == cases["cells"]["latency_s"]["reason"][str(failed)]
    heads = tab.locator("#case-table thead th").all_inner_texts()
    assert heads[: len(cases["columns"])] == [column["heading"] for column in cases["columns"]]


def test_an_opened_case_shows_command_reasons_samples_and_remarks(visit, report):
    cases = report.payload["cases"]
    row = next(row for row, said in enumerate(cases["remarks"]) if said and cases["samples"][row])
    tab = visit(report.path)
    opener = tab.locator(f'#case-table [data-open="{row}"]')
    assert opener.get_attribute("aria-expanded") == "false"
    opener.focus()
    tab.keyboard.press("Enter")
    assert opener.get_attribute("aria-expanded") == "true"
    assert opener.evaluate("(opener) => opener === document.activeElement")
    shown = tab.locator("#case-table .case")
    assert shown.locator("code").inner_text() == cases["commands"][row]
    for remark in cases["remarks"][row]:
        assert remark in shown.inner_text()
    names = {column["name"]: column["heading"] for column in cases["columns"]}
    reasons = {
        names[name]: cell["reason"][str(row)]
        for name, cell in cases["cells"].items()
        if str(row) in cell.get("reason", {})
    }
    listed = shown.locator("dl div").evaluate_all(
        "(all) => all.map((one) => [...one.children].map((c) => c.textContent))"
    )
    assert dict(listed) == reasons
    assert shown.locator("circle").count() == sum(map(len, cases["samples"][row]))
    tab.keyboard.press("Enter")
    assert shown.count() == 0


@pytest.mark.parametrize("prepare", [None, NO_CLIPBOARD], ids=["clipboard", "no clipboard"])
def test_copy_puts_exactly_the_command_on_the_clipboard(visit, report, prepare):
    row = 7
    tab = visit(report.path, f"#open={row}", prepare=prepare)
    tab.locator(".case .copy").click()
    tab.locator(".case output", has_text="Copied").wait_for()
    search = tab.locator("#search")
    search.focus()
    tab.keyboard.press("Control+V")
    assert search.input_value() == report.payload["cases"]["commands"][row]


def download(tab):
    with tab.expect_download() as got:
        tab.locator("#download").click()
    assert got.value.suggested_filename.endswith(".csv")
    return got.value.path().read_text(encoding="utf-8")


def test_a_download_loads_back_exactly(visit, report, tmp_path):
    text = download(visit(report.path))
    given = report.payload["cases"]["csv"]
    assert text == "".join(f"{line}\n" for line in [given["head"], *given["rows"]])
    (tmp_path / "cases.csv").write_text(text, encoding="utf-8")
    back = results.load(*import_files("csv", [tmp_path / "cases.csv"], tmp_path / "again", tell=pytest.fail))
    assert back.problems == ()
    pd.testing.assert_frame_equal(results.table(back), results.table(results.load(report.runs)))


def test_a_download_holds_what_is_shown_in_its_order(visit, report, rows):
    tab = visit(report.path)
    tab.locator('#facets input[name="f.family"][value="wide"]').check()
    tab.locator("#search").fill("inference")
    sort_by(tab, "latency_s")
    shown = rows(tab)
    assert 1 < len(shown) < 100
    lines = download(tab).splitlines()
    given = report.payload["cases"]["csv"]
    assert lines == [given["head"], *(given["rows"][row] for row in shown)]
    found = list(csv.DictReader(io.StringIO("\n".join(lines))))
    assert {line["family"] for line in found} == {"wide"}
    times = [float(line["latency_s"]) for line in found]
    assert times == sorted(times)
