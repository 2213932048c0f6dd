import pytest

from reports.figures.waterfall import STEP_KINDS, UNSURE, waterfall
from reports.style.views import CONTEXT, split

GAINS = {"layout": ("nhwc", 1.2), "runtime": ("compile", 1.5), "precision": ("amp-bf16", 0.5)}


def test_bars_go_from_one_product_to_the_next(chains):
    frame = split(chains(), ("model", *CONTEXT), 1)[0].frame
    assert frame["change"].tolist() == ["layout", "runtime", "precision"]
    bars = {
        (x, trace.name): (base, base + height)
        for trace in waterfall(frame).data
        if trace.type == "bar"
        for x, base, height in zip(trace.x, trace.base, trace.y, strict=True)
    }
    ends = {name.split("</b>")[0].removeprefix("<b>"): (kind, span) for (name, kind), span in bars.items()}
    assert ends["layout"] == ("faster", pytest.approx((1, 1.2), rel=0.05))
    assert ends["runtime"] == ("faster", pytest.approx((1.2, 1.8), rel=0.05))
    assert ends["precision"] == ("slower", pytest.approx((1.8, 0.9), rel=0.05))
    kind, span = ends["together"]
    assert kind == "together"
    assert span == pytest.approx((1, 0.9), rel=0.05)
    assert len({(style.color, style.pattern) for style in STEP_KINDS.values()}) == len(STEP_KINDS)


def test_whiskers_are_the_intervals_of_the_steps(chains):
    frame = split(chains(), ("model", *CONTEXT), 1)[0].frame
    whiskers = next(trace for trace in waterfall(frame).data if trace.error_y.array is not None)
    second = frame.iloc[1]
    start = frame.iloc[0]["factor"]
    assert whiskers.y[1] == pytest.approx(start * second["factor"])
    assert whiskers.y[1] + whiskers.error_y.array[1] == pytest.approx(start * second["factor_high"])
    assert whiskers.y[1] - whiskers.error_y.arrayminus[1] == pytest.approx(start * second["factor_low"])


def test_what_reaches_one_is_neither_faster_nor_slower(chains):
    frame = split(chains(), ("model", *CONTEXT), 1)[0].frame
    unsure = frame.assign(factor_low=0.9, factor_high=3.0)
    names = {trace.name for trace in waterfall(unsure).data if trace.type == "bar"}
    assert names == {UNSURE, "together"}


def test_a_broken_chain_is_its_reason(chains):
    frame = chains(broken=2)
    views = split(frame, ("model", *CONTEXT), 1, ordered=True)
    assert len(views) == 4
    for view in views:
        figure = waterfall(view.frame)
        assert not figure.data
        assert "no answer in 60 s" in figure.layout.annotations[0].text
