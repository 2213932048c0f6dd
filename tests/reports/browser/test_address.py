"""What a reader chose, behind the # of the address."""

import pytest

STATE = """() => {
  const texts = (select) => [...document.querySelectorAll(select)].map((one) => one.textContent);
  return {
    cells: texts("#case-table td, #case-table th"),
    sorts: [...document.querySelectorAll("[data-order] th")].map((head) => head.getAttribute("aria-sort")),
    lines: texts("[data-order] tbody tr"),
    picked: texts("#picked tr"),
    said: texts("#count, #matched, #pick-said, .takeaway, .note, #pages span"),
    controls: [...document.querySelectorAll("input, select")]
      .map((one) => [one.type, one.name || one.id, one.value, one.checked]),
    shown: [...document.querySelectorAll("[hidden]")].map((one) => one.id || one.className),
    open: [...document.querySelectorAll("[aria-expanded]")].map((one) => one.getAttribute("aria-expanded")),
    theme: document.documentElement.dataset.theme ?? null,
  };
}"""
POINTS = (
    "(all) => all.map((one) => [one.id, one.data.map((t) => [t.name, t.x?.length, t.y?.length, t.meta?.rows ?? null])])"
)
HOSTILE = (
    "#q=%3Cimg%20src%3Dx%20onerror%3D%22window.pwned%3D1%22%3E",
    "#<img src=x onerror='window.pwned=1'>",
    "#at=<img src=x onerror='window.pwned=1'>&v.accuracy=<script>",
    "#sort=nothing&page=999&open=99999999&pick=1,2&theme=pink&pair=nobody&v.none=x&f.none=a&f.family=nobody",
    "#s.runs=nothing&s.models=--macs&s.none=macs&s.sort=model&s.=macs&s.__proto__=x&sort=--model&s.cases=model",
    "#s.runs=-&s.models=,macs&s=macs&s.runs.x=Run&S.models=macs&s.models=MACs&s.runs=%00",
    "#sort=-&page=-1&open=-1&pick=a,b,c&v.accuracy=&f.family=,,,",
    "#__proto__=x&constructor=y&f.__proto__=z&v.constructor=y&toString=1&hasOwnProperty=1",
    "#q=%E0%A4%A&f.family=%ZZ&%=%&==&&&=&#",
    "#sort=__proto__&open=1e1&page=0x10&pick=-5,1e999,NaN",
    "#pick=,,&open=&page=&theme=&q=",
    "#" + "a" * 5000,
    "#f.family=" + "x," * 2000,
)


def settle(tab, draw):
    """Gives what the page shows, in four of its charts as well: of points, of a choice, of a pair, and of neither."""
    names = ("accuracy", "depth", "relative", "stages")
    for name in names:
        draw(tab, name)
    tab.wait_for_timeout(100)
    charts = tab.locator(",".join(f"#chart-{name}" for name in names))  # others depend on where the reader has been
    return tab.evaluate(STATE), charts.evaluate_all(POINTS)


def test_every_choice_comes_back_from_the_address(visit, report, draw):
    tab = visit(report.path)
    untouched = settle(tab, draw)
    tab.locator('#facets input[name="f.batch"][value="8"]').check()
    tab.locator('#facets input[name="f.family"][value="resnet"]').check()
    tab.locator('#facets input[name="f.family"][value="resnext"]').check()
    tab.locator("#search").fill("e, res & 5=0% é")
    tab.locator("#search").fill("e res")
    tab.locator('#case-table th[data-column="latency_s"] button').click()
    tab.locator('#case-table th[data-column="latency_s"] button').click()
    tab.locator('[data-order="s.runs"] th[data-column="Started"] button').click()
    tab.locator('[data-order="s.models"] th[data-column="macs"] button').click()
    tab.locator('select[data-view="depth"]').select_option("1")
    tab.locator("#pair").select_option(index=1)
    tab.locator("#pick-accuracy").fill("75")
    tab.locator("#pick-latency").fill("900")
    tab.locator("#theme").select_option("dark")
    opener = tab.locator("#case-table [data-open]").nth(2)
    opener.click()
    chosen = settle(tab, draw)
    assert chosen != untouched
    address = tab.evaluate("location.hash")
    for key in (
        "f.batch=",
        "f.family=",
        "q=",
        "sort=-latency_s",
        "s.runs=Started",
        "s.models=macs",
        "v.depth=",
        "pair=",
        "pick=75,,900",
        "theme=dark",
        "open=",
    ):
        assert key in address
    again = visit(report.path, address)
    assert settle(again, draw) == chosen
    assert again.evaluate("location.hash") == address
    # A fresh address in the same window replaces all choices, and none at all restores the page as it was.
    again.evaluate("location.hash = ''")
    again.wait_for_function("location.hash === '' && !document.documentElement.dataset.theme")
    assert settle(again, draw) == untouched


def test_search_words_of_any_letters_come_back(visit, report):
    tab = visit(report.path)
    search = tab.locator("#search")
    for words in ("a,b&c=d#e", "100 %", "é ü 漢", "a+b", '"quoted" <b>', "%41"):
        search.fill(words)
        address = tab.evaluate("location.hash")
        search.fill("")
        search.blur()
        assert tab.evaluate("location.hash") == ""
        tab.evaluate("(address) => { location.hash = address }", address)
        tab.wait_for_function("document.getElementById('search').value !== ''")
        assert search.input_value() == words
        assert tab.evaluate("location.hash") == address


def test_a_page_of_the_table_comes_back(visit, report, rows):
    tab = visit(report.path)
    tab.locator("#pages button").last.click()
    again = visit(report.path, tab.evaluate("location.hash"))
    assert rows(again) == rows(tab) == list(range(100, 200))


ORDERS = """() => Object.fromEntries([...document.querySelectorAll("[data-order]")].map((table) => [
  table.dataset.order,
  {
    heads: [...table.querySelectorAll("[aria-sort]")].map((head) => [head.dataset.column, head.ariaSort]),
    lines: [...table.tBodies[0].rows].map((line) => [...line.cells].map((cell) => cell.textContent)),
  },
]))"""
SORTED = {"sort": "latency_s", "s.runs": "Started", "s.models": "macs"}


def test_the_order_of_every_table_comes_back(visit, report):
    tab = visit(report.path)
    untouched = tab.evaluate(ORDERS)
    assert set(untouched) == set(SORTED)

    def sort(key, column):
        tab.locator(f'[data-order="{key}"] th[data-column="{column}"] button').click()

    sort("sort", "latency_s")
    tab.locator("#pages button").last.click()
    sort("s.models", "family")  # no order depends on the one before
    for key in ("s.runs", "s.models"):
        sort(key, SORTED[key])
    rising = tab.evaluate(ORDERS)
    assert {key: shown["heads"] for key, shown in rising.items()} == {
        key: [[column, "ascending"]] for key, column in SORTED.items()
    }
    assert tab.evaluate("location.hash") == "#page=2&s.models=macs&s.runs=Started&sort=latency_s"
    tab.reload()
    tab.wait_for_selector("html[data-ready]", state="attached")
    assert tab.evaluate(ORDERS) == rising
    for key, column in SORTED.items():
        sort(key, column)
    falling = tab.evaluate(ORDERS)
    for key, column in SORTED.items():
        assert falling[key]["heads"] == [[column, "descending"]]
        assert falling[key]["lines"] != rising[key]["lines"]
        assert falling[key]["lines"] != untouched[key]["lines"]
    started = [line[-1] for line in falling["s.runs"]["lines"]]
    assert started == sorted(started, reverse=True)
    place = tab.locator('th[data-column="macs"]').first.evaluate("(head) => head.cellIndex + 1")
    cells = tab.locator(f'[data-order="s.models"] [data-sort]:nth-child({place})')
    macs = [float(cell.get_attribute("data-sort")) for cell in cells.all()]
    assert macs == sorted(macs, reverse=True)
    assert len(set(macs)) > 5
    address = tab.evaluate("location.hash")
    assert address == "#s.models=-macs&s.runs=-Started&sort=-latency_s"
    assert visit(report.path, address).evaluate(ORDERS) == falling
    tab.evaluate("location.hash = ''")
    tab.wait_for_function("!document.querySelector('[aria-sort]')")
    assert tab.evaluate(ORDERS) == untouched


def test_links_to_chapters_work_and_keep_choices(visit, report, rows):
    tab = visit(report.path, "#speedups")
    top = "() => Math.round(document.getElementById('speedups').getBoundingClientRect().top)"
    tab.wait_for_function(f"Math.abs(({top})()) < 80")
    tab.locator("#search").fill("resnet18")
    found = rows(tab)
    tab.locator('#contents a[href="#cases"]').click()
    tab.wait_for_function("location.hash.includes('at=cases')")
    assert rows(tab) == found
    again = visit(report.path, tab.evaluate("location.hash"))
    assert rows(again) == found
    for link in tab.locator("#contents a").all():
        assert tab.locator(f"main > section{link.get_attribute('href')}").count() == 1


def test_addresses_that_make_no_sense_are_ignored(visit, report, draw):
    tab = visit(report.path)
    untouched = settle(tab, draw)
    for fragment in HOSTILE:
        tab.evaluate("(fragment) => { location.hash = fragment }", fragment)
        tab.wait_for_timeout(30)
        assert tab.evaluate("window.pwned") is None
        assert tab.locator("img").count() == 0
        if "q=%" not in fragment:
            assert tab.evaluate(STATE) == untouched[0], fragment[:80]
    tab.evaluate("location.hash = ''")
    assert settle(tab, draw) == untouched


@pytest.mark.parametrize("fragment", HOSTILE[1:7:4])
def test_a_page_opens_at_an_address_that_makes_no_sense(visit, report, fragment):
    tab = visit(report.path, fragment)
    assert tab.locator("#case-table thead th").count() > 5
    assert tab.evaluate("window.pwned") is None
