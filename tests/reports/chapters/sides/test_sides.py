"""Pairs of sides, and what is drawn and told of them."""

import dataclasses
import math

import pytest

from reports.chapters.sides.differences import differences
from reports.chapters.sides.frame import BEST, BOTH, FAILED, OTHER, OVER, SAME, UNKNOWN, comparable, pairs
from reports.chapters.sides.orders import MOST as MOST_ORDERED
from reports.chapters.sides.orders import comparable as in_one_order
from reports.chapters.sides.orders import of_orders, orders, swaps
from reports.chapters.sides.relative import MOST, of_relative, relative
from results import compare
from results.storage import reader
from results.storage.reader import Records
from tests.reports.sources import source_of

LATENCIES = {"resnet18": 0.02, "resnet34": 0.04, "resnet50": 0.05, "resnet101": 0.09}


@pytest.fixture
def make_side(tmp_path, make_case, make_record, make_run, write_run):
    """A run of each model in `latencies`, in as many replicates, on a CPU or on an `accelerator`."""

    def make(name, latencies=LATENCIES, *, accelerator=None, replicates=3, turns=40, failed=(), **axes):
        records = []
        for model, latency_s in latencies.items():
            case = make_case(model=model, device="cuda:0" if accelerator else "cpu", **axes)
            for replicate in range(replicates):
                level = 1 + 0.002 * (replicate - 1)
                failure = {"status": "crash", "cause": "exit code 1"} if model in failed else {}
                records.append(
                    make_record(case, latency_s=level * latency_s, replicate=replicate, turns=turns, noise=0, **failure)
                )
        run = make_run(plan=dict.fromkeys(record.case for record in records), run_id=name, accelerator=accelerator)
        return reader.load(write_run(tmp_path, records, run=run))

    return make


def _paired(*sides):
    records = Records(tuple(file for side in sides for file in side.files))
    source = source_of(records)
    return source, source.cases, source.frame(pairs)


def _lines(figure):
    """The ranks on both sides by the name on the left."""
    return {
        trace.text[place].split("  ")[0]: trace.y[place : place + 2]
        for trace in figure.data
        for place in range(0, len(trace.x), 3)
    }


def test_different_hardware_matches_but_for_device_and_threads(make_side):
    faster = {model: latency / 10 for model, latency in LATENCIES.items()}
    _, _, frame = _paired(make_side("cpu", threads=2), make_side("gpu", faster, accelerator="H100", threads=1))
    assert set(frame["pair"]) == {f"H100 {OVER} AMD EPYC 9B14"}
    assert set(frame["matched"]) == {SAME}
    assert frame["ratio"].tolist() == pytest.approx([10] * 4, rel=0.01)
    assert frame["significant"].all()
    assert set(frame["verdict"]) == {"faster"}


def test_the_interval_brings_both_latencies_together(make_side):
    _, frame, found = _paired(make_side("cpu"), make_side("gpu", accelerator="H100"))
    rows = frame[frame["model"] == "resnet50"]
    halves = [math.log(high / low) / 2 for low, high in zip(rows["latency_low_s"], rows["latency_high_s"], strict=True)]
    one = found[found["model"] == "resnet50"].iloc[0]
    assert math.log(one["ratio_high"] / one["ratio_low"]) / 2 == pytest.approx(math.hypot(*halves))
    assert one["verdict"] == "same"
    assert not one["significant"]


@pytest.mark.parametrize(("others", "verdict"), [(0, "faster"), (60, "inconclusive")])
def test_on_different_hardware_the_number_of_cases_is_corrected_for(make_side, others, verdict):
    base = {"resnet50": 0.1} | {f"same{index}": 0.1 for index in range(others)}
    new = base | {"resnet50": 0.1 / 1.03}
    _, _, frame = _paired(make_side("cpu", base), make_side("gpu", new, accelerator="H100"))
    row = frame[frame["model"] == "resnet50"].iloc[0]
    assert row["ratio_low"] > 1.02
    assert (row["verdict"], row["significant"]) == (verdict, verdict == "faster")


def test_on_different_hardware_the_verdicts_are_those_of_compare_on_like_hardware(make_side):
    speeds = {f"m{index}": 0.1 / (1 + 0.004 * index) for index in range(20)}
    base = dict.fromkeys(speeds, 0.1)
    gate = {one.case.model: one.verdict for one in compare(make_side("base", base), make_side("new", speeds)).cases}
    _, _, frame = _paired(make_side("cpu", base), make_side("gpu", speeds, accelerator="H100"))
    page = dict(zip(frame["model"], frame["verdict"], strict=True))
    told = {"faster", "slower"}
    assert {model for model, word in page.items() if word in told} == {
        model for model, word in gate.items() if word in told
    }
    assert "faster" in page.values()
    assert "inconclusive" in page.values()


def test_the_same_hardware_is_compared_as_the_gate_does(make_side):
    base, new = make_side("base"), make_side("new", {**LATENCIES, "resnet50": 0.06, "resnet34": 0.03})
    _, _, frame = _paired(base, new)
    judged = {one.case.model: one for one in compare(base, new).cases}
    assert dict(zip(frame["model"], frame["verdict"], strict=True)) == {
        model: one.verdict for model, one in judged.items()
    }
    for row in frame.itertuples():
        one = judged[row.model]
        assert (row.ratio, row.ratio_low, row.ratio_high) == pytest.approx((1 / one.ratio, 1 / one.high, 1 / one.low))
    assert set(frame.loc[frame["significant"], "model"]) == {"resnet50", "resnet34"}


def test_without_a_common_case_each_side_is_at_its_best(make_side):
    slow = make_side("cpu", batch_size=1)
    fast = make_side("gpu", accelerator="H100", precision="amp-fp16", batch_size=64)
    _, _, frame = _paired(slow, fast)
    assert set(frame["matched"]) == {BEST}
    assert frame["a_setting"].tolist() == ["batch 1 · fp32 · eager · nchw"] * 4
    assert frame["b_setting"].tolist() == ["batch 64 · amp-fp16 · eager · nchw"] * 4
    assert frame["ratio"].tolist() == pytest.approx([64] * 4, rel=0.01)
    assert "each in its fastest setting" in of_relative(frame)


def test_what_failed_or_has_no_interval_says_so(make_side):
    slow, fast = make_side("cpu", replicates=1, turns=3), make_side("gpu", accelerator="H100", failed=["resnet18"])
    _, _, frame = _paired(slow, fast)
    verdicts = dict(zip(frame["model"], frame["verdict"], strict=True))
    assert verdicts == {"resnet18": FAILED[1], "resnet34": UNKNOWN, "resnet50": UNKNOWN, "resnet101": UNKNOWN}
    assert not frame["significant"].any()
    failed = frame[frame["model"] == "resnet18"].iloc[0]
    assert failed["reason"].startswith("H100: crash (")
    assert math.isnan(failed["ratio"])
    assert "resnet18" not in set(comparable(frame)["model"])
    _, _, both = _paired(make_side("one", failed=["resnet50"]), make_side("two", failed=["resnet50"], accelerator="A"))
    assert both.loc[both["model"] == "resnet50", "verdict"].tolist() == [BOTH]


def test_versions_that_share_no_setting_are_shown_and_not_judged(make_side):
    (new,) = make_side("new", batch_size=16).files
    environment = dataclasses.replace(new.run.environment, torch="2.15.0")
    new = dataclasses.replace(new, run=dataclasses.replace(new.run, environment=environment))
    _, _, frame = _paired(make_side("old"), Records((new,)))
    assert set(frame["matched"]) == {BEST}
    assert set(frame["verdict"]) == {OTHER}
    assert frame["ratio"].notna().all()
    assert not frame["significant"].any()


def test_a_single_side_gives_no_pair(make_side):
    _, _, frame = _paired(make_side("cpu"))
    assert frame.empty
    assert in_one_order(frame).empty
    assert comparable(frame).empty


def test_relative_draws_ratios_with_their_intervals(make_side):
    faster = {
        model: latency / factor for (model, latency), factor in zip(LATENCIES.items(), (2, 4, 8, 16), strict=True)
    }
    _, _, frame = _paired(make_side("cpu"), make_side("gpu", faster, accelerator="H100"))
    figure = relative(frame)
    assert figure.layout.yaxis.categoryarray == ("resnet18", "resnet34", "resnet50", "resnet101")  # from below
    (trace,) = figure.data
    ratios = dict(zip(trace.y, trace.x, strict=True))
    assert ratios["resnet101"] == pytest.approx(16, rel=0.01)
    place = trace.y.index("resnet101")
    row = frame[frame["model"] == "resnet101"].iloc[0]
    assert trace.x[place] + trace.error_x.array[place] == pytest.approx(row["ratio_high"])
    said = of_relative(frame)
    assert "(resnet18) to " in said
    assert said.endswith("Shown to be faster: 4 of 4; slower: 0.")


def test_of_too_many_variants_those_that_differ_most_are_drawn(make_side):
    _, _, frame = _paired(make_side("cpu"), make_side("gpu", accelerator="H100"))
    import pandas as pd  # noqa: PLC0415

    row = frame.head(1)
    many = pd.concat([row.assign(model=f"m{index}", ratio=1.0 + index) for index in range(MOST + 3)], ignore_index=True)
    figure = relative(many)
    assert set(figure.data[0].y) == {f"m{index}" for index in range(3, MOST + 3)}
    assert figure.layout.annotations[0].text == f"the {MOST} of {MOST + 3} variants that differ most"


def test_variants_that_change_places_are_told_from_those_that_do_not(make_side):
    other = {"resnet18": 0.02, "resnet34": 0.06, "resnet50": 0.04, "resnet101": 0.09}
    _, _, frame = _paired(make_side("cpu"), make_side("gpu", other, accelerator="H100"))
    rows = in_one_order(frame)
    (swap,) = swaps(rows)
    assert (rows["model"].iloc[swap.one], rows["model"].iloc[swap.other]) == ("resnet34", "resnet50")
    assert swap.lead == pytest.approx(0.05 / 0.04, rel=0.01)
    assert swap.lag == pytest.approx(0.04 / 0.06, rel=0.01)
    assert _lines(orders(rows)) == {
        "resnet18": (1, 1),
        "<b>resnet34</b>": (2, 3),
        "<b>resnet50</b>": (3, 2),
        "resnet101": (4, 4),
    }
    said = of_orders(rows)
    assert "Kendall's tau of 4 variants' order is 0.67" in said  # 5 pairs in order, 1 reversed
    assert "resnet34 is 1.25× as fast as resnet50 on AMD EPYC 9B14" in said


def test_within_its_interval_nothing_changes_places(make_side):
    other = {**LATENCIES, "resnet34": 0.0405, "resnet50": 0.0400}
    _, _, frame = _paired(make_side("cpu"), make_side("gpu", other, accelerator="H100"))
    rows = in_one_order(frame)
    assert swaps(rows) == []
    assert "no two change places" in of_orders(rows)
    wide = rows.assign(a_low=rows["a_throughput"] / 3, a_high=rows["a_throughput"] * 3)
    assert swaps(wide.assign(b_throughput=1 / wide["b_throughput"])) == []


def test_one_setting_gives_the_order(make_side):
    few = {"resnet18": 0.02, "resnet34": 0.04}
    sides = [make_side("cpu"), make_side("gpu", accelerator="H100")]
    sides += [make_side("cpu2", few, batch_size=1), make_side("gpu2", few, accelerator="H100", batch_size=1)]
    _, _, frame = _paired(*sides)
    assert len(frame) == 6
    rows = in_one_order(frame)
    assert set(rows["batch_size"]) == {8}
    assert rows["model"].is_unique


def test_of_too_many_variants_the_swaps_stay(make_side):
    _, _, frame = _paired(make_side("cpu"), make_side("gpu", accelerator="H100"))
    import pandas as pd  # noqa: PLC0415

    row = in_one_order(frame).head(1)
    speeds = [(f"m{index}", 1.1**index, 1.1**index) for index in range(MOST_ORDERED + 9)]
    speeds += [("up", 1.0, 100.0), ("down", 100.0, 1.0)]
    many = pd.concat(
        [
            row.assign(
                model=model,
                **{f"a_{what}": a for what in ("throughput", "low", "high")},
                **{f"b_{what}": b for what in ("throughput", "low", "high")},
            )
            for model, a, b in speeds
        ],
        ignore_index=True,
    )
    figure = orders(many)
    lines = _lines(figure)
    assert len(lines) == MOST_ORDERED
    assert {"<b>up</b>", "<b>down</b>"} <= set(lines)


def test_a_diff_table_has_what_differs_first_and_the_rest_folded(make_side):
    other = {**LATENCIES, "resnet50": 0.10, "resnet34": 0.01}
    source, _, _ = _paired(make_side("cpu"), make_side("gpu", other, accelerator="H100", failed=["resnet18"]))
    (diff,) = differences(source)
    assert (diff.a, diff.b) == ("AMD EPYC 9B14", "H100")
    above, below = diff.differing, diff.folded
    assert [row[0].text for row in above.rows] == ["resnet34", "resnet50", "resnet18"]
    assert [row[0].text for row in below.rows] == ["resnet101"]
    assert dict(diff.counts) == {"faster": 1, "slower": 1, FAILED[1]: 1, "same": 1}
    assert above.heads == below.heads
    assert all(len(row) == len(above.heads) == len(above.numeric) for row in (*above.rows, *below.rows))
    assert diff.hidden == 0
    assert ["cuda:0.name", "unknown", "H100"] in [[cell.text for cell in row] for row in diff.environment.rows]
    row = dict(zip(above.heads, (cell.text for cell in above.rows[0]), strict=True))
    assert row["b over a"].startswith("4.0")
    assert row["± 95 %"].startswith("±")
    assert row["verdict on b"] == "faster"


def test_hostile_names_are_escaped_in_figures(make_side):
    evil = "<img src=x onerror=alert(1)>"
    latencies = {evil: 0.1, "resnet50": 0.05}
    other = {evil: 0.01, "resnet50": 0.05}
    _, _, frame = _paired(make_side("cpu", latencies), make_side("gpu", other, accelerator="<b>H100</b>"))
    for figure in (relative(frame), orders(in_one_order(frame))):
        drawn = figure.to_json()
        assert "<img" not in drawn
        assert "<b>H100" not in drawn.replace("<b>&lt;b&gt;H100", "")


def test_only_sides_with_most_cases_are_paired(make_side):
    sides = [make_side(f"gpu{index}", {"resnet50": 0.1}, accelerator=f"G{index}") for index in range(7)]
    sides.append(make_side("big", accelerator="Big"))
    _, _, frame = _paired(*sides)
    assert frame["pair"].nunique() == 15
    assert frame["a"].eq("Big").any() or frame["b"].eq("Big").any()
