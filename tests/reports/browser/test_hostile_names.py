"""Names from run files do nothing but show."""

import re

import pytest

from reports.page import page
from results.storage import reader

RUN = "window.pwned = 1"
NAMES = (
    f"</script><script>{RUN}</script>",
    f'"><img src=x onerror="{RUN}">',
    f"' onmouseover='{RUN}' x='",
    f'<a href="javascript:{RUN}">click</a>',
    f"<svg onload={RUN}>",
    f"javascript:{RUN}",
    f"<b onclick='{RUN}'>bold</b><sub>low</sub>",
    "%{customdata} %{x} &lt;i&gt; <br> <extra>",
    "{{ 7*7 }}{% raw %}",
    "__proto__",
    "constructor",
    "]]> --> <!-- <style>*{display:none}</style>",
)


@pytest.fixture
def hostile(pages, make_case, make_record, make_run, make_static):
    path = pages / "hostile.html"
    if not path.exists():
        files = tuple(
            _file(f"{name}{place}", place, make_case, make_record, make_run, make_static)
            for place, name in enumerate((NAMES[0], NAMES[3]))
        )
        page.write_page(reader.Records(files), path)
    return path


def _file(name, place, make_case, make_record, make_run, make_static):
    """A run with all of these names, built in memory: the writer refuses some, and the page must not rely on that."""
    records, statics = [], []
    for size, model in enumerate(NAMES):
        axes = {"model": model, "batch_size": 8}
        latency = 0.01 * (size + 1) * (1 + place)
        records += [
            make_record(make_case(**axes), latency_s=latency),
            make_record(
                make_case(layout="nhwc", **axes), latency_s=latency / 1.2, baseline_latency_s=latency, notes=(model,)
            ),
            make_record(make_case(runtime="compile", **axes), latency_s=latency / 1.5, baseline_latency_s=latency),
            make_record(make_case(precision="fp16", **axes), status="error", cause=model),
            make_record(make_case(task="training", **axes), latency_s=3 * latency),
        ]
        statics.append(make_static(model, family=model, block=model, depth=10 + size, imagenet_top1=0.7 + 0.01 * size))
    run = make_run(
        plan=[record.case for record in records], run_id=name, suite=name, started=f"2026-11-2{place}T00:00:00Z"
    )
    return reader.RunFile(
        path=f"{name}.jsonl", run=run, statics=tuple(statics), records=tuple(records), complete=True, problems=(name,)
    )


def check(tab):
    """Nothing ran, and no element came out of a name."""
    assert tab.evaluate("window.pwned") is None
    # The page's own are the payload, Plotly's and its own: all of them long.
    assert tab.evaluate("[...document.scripts].filter((one) => one.textContent.length < 1000).length") == 0
    assert tab.locator("img, iframe, object, embed, link, base, main style, a:not([href^='#'])").count() == 0
    names = "[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())"
    said = [name for name in set(tab.evaluate(names)) if name.startswith("on")]
    assert said == []
    assert tab.evaluate("Object.keys(Object.prototype).length") == 0


def test_hostile_names_only_show(visit, hostile, draw_all):
    tab = visit(hostile)
    drawn = draw_all(tab)
    assert len(drawn) >= 10
    check(tab)
    assert set(NAMES) <= set(
        tab.locator("#facets input[name='f.family']").evaluate_all("(all) => all.map((one) => one.value)")
    )
    for box in tab.locator("#facets fieldset label:last-child input").all():  # the last value of each facet
        box.check()
    tab.locator("#clear").click()
    for select in tab.locator("select:visible").all():
        select.select_option(index=select.locator("option").count() - 1)
    tab.locator("#case-table thead button").evaluate_all("(all) => { for (const one of all) one.click() }")
    tab.locator("details").evaluate_all("(all) => { for (const one of all) one.open = true }")
    tab.locator("#pick-latency").fill("100000")
    assert tab.locator("#picked [data-open]").count() == 10
    check(tab)
    for name in NAMES:
        tab.locator("#search").fill(name)
        openers = tab.locator("#case-table tr.failed .opener")
        openers.filter(has_text=re.compile(f"^{re.escape(name)}$")).first.click()
        said = tab.locator("#case-table .case")
        assert name in said.inner_text()  # the cause
        said.locator(".copy").click()
    check(tab)
    again = visit(hostile, tab.evaluate("location.hash"))
    shown = [one.locator("#case-table .opener").all_inner_texts() for one in (tab, again)]
    assert shown[0] == shown[1] != []
    check(again)


def test_hover_labels_of_hostile_names_only_show(visit, hostile, draw):
    tab = visit(hostile)
    for chart in ("accuracy", "macs", "speedups", "training"):
        draw(tab, chart)
        points = tab.locator(f"#chart-{chart} :is(.point path, path.point, .heatmaplayer image, .hm)")
        boxes = [box for box in (point.bounding_box() for point in points.all()[:6]) if box]
        labels = []
        for box in boxes:
            for share in (0.5, 0.9):
                tab.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
                tab.wait_for_timeout(60)
                labels += tab.locator(f"#chart-{chart} .hoverlayer .hovertext").all_text_contents()
        assert any(name[:10] in text for name in NAMES for text in labels), (chart, labels)
        assert tab.locator("svg a, svg image[href^='http']").count() == 0
        check(tab)
