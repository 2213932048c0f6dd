import itertools
import math

import pytest

from reports.chapters.speedups.chains import MOST_CHAINS, chain_steps, largest, of_chain
from reports.figures.waterfall import STEP_KINDS, UNSURE, waterfall
from reports.style.views import CONTEXT, split
from results.storage import reader
from tests.reports.sources import source_of

GAINS = {"layout": ("nhwc", 1.2), "runtime": ("compile", 1.5), "precision": ("amp-bf16", 0.5)}


@pytest.fixture
def recorded(tmp_path, make_case, make_record, make_run, write_run):
    """Every combination of the three axes for each model and task, in three replicates; `broken` is one that fails."""

    def make(models=("resnet50",), tasks=("inference",), broken=None):
        records = []
        for model, task, level, chosen in itertools.product(
            models, tasks, (0.99, 1.0, 1.02), itertools.product((False, True), repeat=3)
        ):
            axes = {axis: word for (axis, (word, _)), on in zip(GAINS.items(), chosen, strict=True) if on}
            gain = math.prod(one for (_, one), on in zip(GAINS.values(), chosen, strict=True) if on)
            case = make_case(model=model, task=task, **axes)
            failure = {"status": "timeout", "cause": "no answer in 60 s"} if len(axes) == broken else {}
            records.append(
                make_record(
                    case,
                    replicate=round(100 * level),
                    latency_s=0.05 / gain / (level if axes else 1.0),
                    baseline_latency_s=0.05 if axes else None,
                    noise=0.0,
                    **failure,
                )
            )
        run = make_run(plan=dict.fromkeys(record.case for record in records))
        records = reader.load(write_run(tmp_path, records, run=run))
        return largest(chain_steps(source_of(records)))

    return make


def test_bars_go_from_one_product_to_the_next(recorded):
    frame = split(recorded(), ("model", *CONTEXT), 1)[0].frame
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
    assert "eager → compile gives most (1.5" in of_chain(frame)
    assert "fp32 → amp-bf16 costs (0.5" in of_chain(frame)


def test_whiskers_are_the_intervals_of_the_steps(recorded):
    frame = split(recorded(), ("model", *CONTEXT), 1)[0].frame
    whiskers = next(trace for trace in waterfall(frame).data if trace.error_y.array is not None)
    second = frame.iloc[1]
    start = frame.iloc[0]["factor"]
    assert whiskers.y[1] == pytest.approx(start * second["factor"])
    assert whiskers.y[1] + whiskers.error_y.array[1] == pytest.approx(start * second["factor_high"])
    assert whiskers.y[1] - whiskers.error_y.arrayminus[1] == pytest.approx(start * second["factor_low"])


def test_what_reaches_one_is_neither_faster_nor_slower(recorded):
    frame = split(recorded(), ("model", *CONTEXT), 1)[0].frame
    unsure = frame.assign(factor_low=0.9, factor_high=3.0)
    names = {trace.name for trace in waterfall(unsure).data if trace.type == "bar"}
    assert names == {UNSURE, "together"}
    assert "none of the changes was shown" in of_chain(unsure)


def test_a_broken_chain_is_its_reason(recorded):
    frame = recorded(broken=2)
    views = split(frame, ("model", *CONTEXT), 1, ordered=True)
    assert len(views) == 4
    for view in views:
        figure = waterfall(view.frame)
        assert not figure.data
        assert "no answer in 60 s" in figure.layout.annotations[0].text
        assert "cannot be attributed" in of_chain(view.frame)


def test_the_largest_gain_is_offered_first_and_training_after_inference(recorded):
    frame = recorded(models=("resnet18", "resnet50"), tasks=("training", "inference"))
    views = split(frame, ("model", *CONTEXT), 1, ordered=True)
    tasks = [view.frame["task"].iloc[0] for view in views]
    assert tasks == ["inference"] * 8 + ["training"] * 8
    totals = [view.frame["total"].iloc[0] for view in views]
    assert totals[:8] == sorted(totals[:8], reverse=True)
    assert all(view.frame["step"].is_monotonic_increasing for view in views)


def test_of_too_many_the_best_of_each_variant_stay(recorded):
    frame = recorded()
    many = [frame.assign(model=f"model{index}", total=frame["total"] * (1 + index)) for index in range(MOST_CHAINS)]
    import pandas as pd  # noqa: PLC0415

    kept = largest(pd.concat(many))
    chains = kept.drop_duplicates(["model", *CONTEXT])
    assert len(chains) == MOST_CHAINS
    assert chains["model"].nunique() == MOST_CHAINS
    assert len(kept) > MOST_CHAINS  # whole chains


def test_an_unknown_number_of_threads_loses_no_chain(recorded):
    frame = recorded()
    import pandas as pd  # noqa: PLC0415

    unknown = frame.assign(model="imported", threads=None)
    kept = largest(pd.concat([frame, unknown]))
    assert kept.groupby("model").size().to_dict() == {"imported": len(frame), "resnet50": len(frame)}
