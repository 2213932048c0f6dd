"""Light and dark, paper, a phone, and who cannot see or point."""

import pypdf
import pytest

from reports.style.theme import PAPER

BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}

# With target sizes, which axe leaves out unless asked; what passes is only counted, which is most of its time.
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
AXE = {"resultTypes": ["violations"], "runOnly": TAGS}


def rgb(color):
    return "rgb({}, {}, {})".format(*bytes.fromhex(color.removeprefix("#")))


def test_the_page_and_its_charts_follow_the_system_and_the_switch(visit, report, draw):
    tab = visit(report.path, color_scheme="dark")
    draw(tab, "accuracy")

    def check(theme):
        tab.wait_for_function(
            "(paper) => document.getElementById('chart-accuracy')._fullLayout.paper_bgcolor === paper",
            arg=PAPER[theme],
        )
        assert tab.evaluate(BACKGROUND) == rgb(PAPER[theme])

    check("dark")
    tab.emulate_media(color_scheme="light")
    check("light")
    tab.locator("#theme").select_option("dark")
    check("dark")
    tab.emulate_media(color_scheme="dark")
    tab.emulate_media(color_scheme="light")  # what was chosen is not the system's to change
    tab.wait_for_timeout(100)
    check("dark")
    tab.locator("#theme").select_option("")
    check("light")


def test_on_paper_everything_is_light_and_there(visit, report, tmp_path):
    cases = report.payload["cases"]
    tab = visit(report.path, "#q=resnet18&theme=dark", color_scheme="dark")
    # After the page's own listener, so it sees what goes to the printer.
    tab.evaluate("""() => addEventListener("beforeprint", () => {
        const charts = [...document.querySelectorAll(".js-plotly-plot")];
        const table = document.getElementById("case-table");
        window.printed = {
            papers: [...new Set(charts.map((one) => one._fullLayout.paper_bgcolor))],
            charts: charts.length,
            rows: table.querySelectorAll("[data-open]").length,
            visible: table.checkVisibility(),
        };
    })""")
    path = tmp_path / "page.pdf"
    tab.pdf(path=path, format="A4", print_background=True)
    printed = tab.evaluate("window.printed")
    assert printed["papers"] == [PAPER["light"]]
    assert printed["charts"] == sum(bool(views) for views in report.payload["charts"].values())
    assert printed["rows"] == cases["cells"]["model"]["text"].count("resnet18")
    assert printed["visible"]
    document = pypdf.PdfReader(path)
    assert len(document.pages) > 3
    text = " ".join("".join(sheet.extract_text() for sheet in document.pages).split())
    for line in tab.locator(".answer li").all_inner_texts():
        assert "".join(line.split())[:60] in text.replace(" ", "")
    assert "Every case" in text
    # Back on the screen, everything is as it was.
    assert tab.evaluate("location.hash") == "#q=resnet18&theme=dark"
    tab.locator("#chart-accuracy").scroll_into_view_if_needed()
    tab.wait_for_function(
        "(paper) => document.getElementById('chart-accuracy')._fullLayout.paper_bgcolor === paper", arg=PAPER["dark"]
    )
    # The sheet's layout, which the PDF no longer tells: nothing is wider than A4 at 96 dots an inch.
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 794, "height": 1123})
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    assert tab.locator("#case-table").is_visible()
    assert not tab.locator("#facets").is_visible()
    widths = tab.locator(".chart .main-svg").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().right)"
    )
    assert 600 < max(widths) <= 794
    tab.evaluate("dispatchEvent(new Event('afterprint'))")


def test_a_phone_never_scrolls_sideways_and_every_control_works(visit, report, draw_all, rows):
    tab = visit(report.path, **PHONE)
    drawn = draw_all(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    for name in drawn:
        box = tab.locator(f"#chart-{name}").locator("xpath=..").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390, name
    tab.locator("#facets summary").tap()
    tab.locator('#facets input[name="f.family"][value="wide"]').tap()
    assert tab.evaluate("location.hash") == "#f.family=wide"
    tab.locator("#facets summary").tap()
    tab.locator("#pick-latency").fill("5000")
    assert tab.locator("#picked [data-open]").first.is_visible()
    tab.locator("#search").fill("training")
    tab.locator('#case-table th[data-column="model"] button').tap()
    assert rows(tab)
    tab.locator("#case-table [data-open]").first.tap()
    tab.locator(".case .copy").tap()
    tab.locator(".case output", has_text="Copied").wait_for()
    tab.locator("#theme").select_option("dark")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    # With a finger, what is smaller than 24 pixels is missed (WCAG 2.2, 2.5.8).
    controls = tab.locator("button:visible, select:visible, summary:visible, input:visible")
    sizes = controls.evaluate_all(
        "(all) => all.map((one) => { const { width, height } = one.getBoundingClientRect();"
        " return [one.outerHTML.slice(0, 80), width, height] })"
    )
    assert [size for size in sizes if min(size[1:]) < 20] == []


@pytest.mark.parametrize(("palette", "theme"), [("dark", "light"), ("light", "dark")])
def test_forced_colours_leave_everything_visible_whatever_the_theme(visit, report, draw, palette, theme):
    row = next(row for row, samples in enumerate(report.payload["cases"]["samples"]) if samples)
    fragment = f"#open={row}&f.family=resnet&theme={theme}"
    tab = visit(report.path, fragment, forced_colors="active", color_scheme=palette)
    assert tab.evaluate(BACKGROUND) == {"dark": "rgb(0, 0, 0)", "light": "rgb(255, 255, 255)"}[palette]
    chosen = tab.locator("#facets input:checked")
    chosen.focus()
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Tab")  # only what the keyboard reaches has an outline

    def style(selector, name):
        return tab.locator(selector).first.evaluate("(one, name) => getComputedStyle(one)[name]", name)

    text, link = style("body", "color"), style("#contents a:not([aria-current])", "color")
    assert text != link
    assert style(".answer li", "color") == text
    assert style(".strip line", "stroke") == text
    assert style(".strip circle", "fill") == link
    assert style("#facets input:focus-visible + span", "outlineColor") == link
    # Charts keep the paper that their ink was chosen for.
    draw(tab, "accuracy")
    paper, ink = tab.locator("#chart-accuracy").evaluate(
        "({ _fullLayout }) => [_fullLayout.paper_bgcolor, _fullLayout.font.color]"
    )
    assert paper == PAPER[theme]
    assert style("#chart-accuracy", "forcedColorAdjust") == "none"
    assert style("#chart-accuracy .main-svg", "backgroundColor") == rgb(paper)
    assert style("#chart-accuracy .xtick text", "fill") == rgb(ink)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["1280", "390"])
def test_axe_finds_nothing_serious(visit, report, draw_all, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe; install the extra dev")
    row = report.payload["cases"]["status"].index("out-of-memory")
    tab = visit(report.path, f"#open={row}&q=control&pick=75,,900", **options)
    tab.locator("details.data summary").first.click()
    draw_all(tab)
    # Drawings are half of all elements and the same everywhere but for colours, which axe does not judge in them.
    without_drawings = {"exclude": [[".main-svg"]]}
    for scheme, context in (("light", without_drawings if options else None), ("dark", without_drawings)):
        tab.emulate_media(color_scheme=scheme)
        found = axe.Axe().run(tab, context=context, options=AXE).response
        assert len(found["passes"]) > 15
        bad = [
            f"{scheme}: {one['impact']}: {one['id']}: {one['help']}: {node['html'][:200]}: {node['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"][:3]
        ]
        assert bad == [], "\n".join(bad)


def test_the_keyboard_reaches_and_moves_everything(visit, report, rows):
    tab = visit(report.path)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    chip = tab.locator('#facets input[name="f.family"][value="wide"]')
    chip.focus()
    tab.keyboard.press("Space")
    assert chip.is_checked()
    assert chip.evaluate("(chip) => chip === document.activeElement")
    head = tab.locator('#case-table th[data-column="latency_s"] button')
    head.focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("location.hash") == "#f.family=wide&sort=latency_s"
    assert head.evaluate("(head) => head === document.activeElement")
    shown = rows(tab)
    times = report.payload["cases"]["numbers"]["latency_s"]
    assert shown == sorted(shown, key=lambda row: (times[row] is None, times[row]))
