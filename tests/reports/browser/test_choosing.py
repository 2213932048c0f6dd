"""Facets, the Pareto fronts that follow them, and "pick for me"."""

import pytest

TRADEOFFS = {
    "accuracy": ("throughput_img_per_s", 1),
    "accuracy_latency": ("latency_s", -1),
    "accuracy_memory": ("peak_bytes", -1),
}
"""Charts of accuracy against a number, and whether more of it is better."""


def tick(tab, facet, value):
    tab.locator(f'#facets input[name="f.{facet}"][value="{value}"]').check()


def until(tab, name, count):
    """Waits until so many points of a chart are drawn, which it is only where it is seen."""
    tab.locator(f"#chart-{name}").scroll_into_view_if_needed()
    tab.wait_for_function(
        "([id, count]) => document.getElementById(id).data.flatMap((t) => t.meta?.rows ?? []).length === count",
        arg=[f"chart-{name}", count],
    )


def kept(cases, chosen):
    """The rows that the chosen values let through, as the payload has them."""
    rows = range(len(cases["status"]))
    return [row for row in rows if all(cases["facets"][facet][row] in values for facet, values in chosen.items())]


def points(traces):
    return [row for trace in traces for row in (trace["meta"] or {}).get("rows", [])]


def front(rows, speed, accuracy, sign):
    """Rows that no other row beats: as good in both, and better in one."""

    def beaten(row):
        mine = (sign * speed[row], accuracy[row])
        return any(
            sign * speed[one] >= mine[0] and accuracy[one] >= mine[1] and (sign * speed[one], accuracy[one]) != mine
            for one in rows
        )

    return {row for row in rows if not beaten(row)}


def given_traces(view):
    return [{"meta": None, **trace} for trace in view["data"]]


def drawn_fronts(traces):
    """The points of each front, by its machine."""
    fronts = [trace for trace in traces if "front" in (trace["meta"] or {})]
    return {trace["meta"].get("machine"): list(zip(trace["x"], trace["y"], strict=True)) for trace in fronts}


def expected_fronts(name, given, cases, left):
    """What the fronts of a chart's first view have to be, computed from the exact numbers of the cases."""
    number, sign = TRADEOFFS[name]
    place = {
        row: point
        for trace in given_traces(given)
        if "rows" in (trace["meta"] or {})
        for row, point in zip(trace["meta"]["rows"], zip(trace["x"], trace["y"], strict=True), strict=True)
    }
    fronts = {}
    for machine in drawn_fronts(given_traces(given)):
        rows = [row for row in place if row in left and machine in {None, cases["facets"]["machine"][row]}]
        found = front(rows, cases["numbers"][number], cases["numbers"]["imagenet_top1"], sign)
        fronts[machine] = sorted({place[row] for row in found})
    return fronts


@pytest.mark.parametrize(
    "chosen",
    [
        {"family": ["resnext"]},
        {"family": ["wide", "resnext"], "batch": ["8"]},
        {"machine": ["Intel Xeon 8481C"]},
    ],
    ids=str,
)
def test_facets_filter_charts_fronts_and_table(visit, report, draw, rows, chosen):
    cases = report.payload["cases"]
    tab = visit(report.path)
    before = {name: points(draw(tab, name)) for name in TRADEOFFS}
    for facet, values in chosen.items():
        for value in values:
            tick(tab, facet, value)
    left = kept(cases, chosen)
    assert 0 < len(left) < len(cases["status"])
    assert rows(tab) == left[:100]
    assert tab.locator("#count").inner_text().startswith(f"{len(left)} of ")
    seen = 0
    for name in TRADEOFFS:
        given = report.payload["charts"][name][0]
        wanted = [row for row in before[name] if row in left]
        until(tab, name, len(wanted))
        traces = draw(tab, name)
        assert points(traces) == wanted
        for trace in traces:
            if "rows" in (trace["meta"] or {}):
                assert len(trace["x"]) == len(trace["y"]) == len(trace["meta"]["rows"])
        fronts = drawn_fronts(traces)
        assert fronts
        assert {machine: sorted(line) for machine, line in fronts.items()} == expected_fronts(name, given, cases, left)
        for line in fronts.values():
            assert line == sorted(line)
            seen += len(line)
        for trace in traces:
            if "front" in (trace["meta"] or {}) and trace["text"]:  # the machine's name, at the end of its front
                assert trace["text"][:-1] == [""] * (len(trace["x"]) - 1)
                assert not trace["x"] or trace["text"][-1]
    assert seen
    tab.locator("#clear").click()
    assert rows(tab) == list(range(100))
    for name, all_of_them in before.items():
        until(tab, name, len(all_of_them))
        assert drawn_fronts(draw(tab, name)) == drawn_fronts(given_traces(report.payload["charts"][name][0]))
    assert tab.evaluate("location.hash") == ""


def test_the_fronts_that_python_drew_are_those_of_the_numbers(report):
    cases = report.payload["cases"]
    for name in TRADEOFFS:
        for given in report.payload["charts"][name]:
            fronts = drawn_fronts(given_traces(given))
            assert fronts
            found = {machine: sorted(set(line)) for machine, line in fronts.items()}
            assert found == expected_fronts(name, given, cases, range(len(cases["status"])))


def test_facets_that_leave_nothing_say_so(visit, report, rows):
    cases = report.payload["cases"]
    tab = visit(report.path)
    tick(tab, "family", "plain")
    tick(tab, "precision", "amp-bf16")
    assert kept(cases, {"family": ["plain"], "precision": ["amp-bf16"]}) == []
    assert rows(tab) == []
    assert tab.locator("#case-table tbody").inner_text() == "No case passes the filters and the search."


def wanted(cases, accuracy, memory, latency, tasks):
    """The rows that fit the bounds, best first: computed anew, from the same numbers."""
    numbers = cases["numbers"]
    found = []
    for row, status in enumerate(cases["status"]):
        top1, peak = numbers["imagenet_top1"][row], numbers["peak_bytes"][row]
        time, rate = numbers["latency_s"][row], numbers["throughput_img_per_s"][row]
        if status != "ok" or time is None or cases["facets"]["task"][row] not in tasks:
            continue
        if accuracy and (top1 is None or top1 < float(accuracy) / 100):
            continue
        if memory and (peak is None or peak > float(memory) * 1e6):
            continue
        if latency and time > float(latency) / 1e3:
            continue
        # What has no accuracy comes after all that has one.
        exact = (top1 is None, -(top1 or 0.0))
        found.append(((-rate, exact) if accuracy else (exact, -rate), row))
    return [row for _, row in sorted(found)]


def test_picks_are_the_cases_within_the_bounds_best_first(visit, report):
    tab = visit(report.path)
    for bounds, tasks in (
        (("80.5", "", ""), {"inference"}),
        (("", "900", ""), {"inference"}),
        (("", "", "300"), {"inference"}),
        (("75", "1500.5", "700"), {"inference"}),
        (("99", "", ""), {"inference"}),
        (("", "", "900"), {"training"}),
    ):
        if tasks == {"training"}:
            tick(tab, "task", "training")
        for name, bound in zip(("accuracy", "memory", "latency"), bounds, strict=True):
            tab.locator(f"#pick-{name}").fill(bound)
        fitting = wanted(report.payload["cases"], *bounds, tasks)
        openers = tab.locator("#picked [data-open]")
        picked = openers.evaluate_all("(all) => all.map((opener) => Number(opener.dataset.open))")
        # One line a variant and machine, its best; how many more of its settings fit stands beside it.
        models = report.payload["cases"]["cells"]["model"]["text"]
        machines = report.payload["cases"]["facets"]["machine"]
        best = {(models[row], machines[row]): row for row in reversed(fitting)}.values()
        assert picked == sorted(best, key=fitting.index)[:10]
        said = tab.locator("#pick-said").inner_text()
        assert said.startswith(f"{len(fitting)} case" if fitting else "No case is within these bounds")
        assert tab.locator("#picked").is_visible() == bool(fitting)


def test_a_pick_opens_its_case(visit, report, rows):
    tab = visit(report.path)
    tab.locator("#search").fill("training")
    tab.locator("#pick-latency").fill("100")
    opener = tab.locator("#picked [data-open]").first
    row = int(opener.get_attribute("data-open"))
    opener.click()
    opened = tab.locator('#case-table [aria-expanded="true"]')
    assert int(opened.get_attribute("data-open")) == row
    assert opened.is_visible()
    assert tab.locator("#case-table .case").is_visible()
