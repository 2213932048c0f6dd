import itertools
import math

import pytest
from msgspec import structs

from results.analysis.study import Study
from results.metrics.speedups import path
from results.schema.lines.run import Arm
from results.storage.reader import load

GAINS = {"layout": ("nhwc", 1.2), "runtime": ("compile", 1.5), "precision": ("amp-bf16", 0.8)}


@pytest.fixture
def recorded(tmp_path, write_run, make_record, make_case, make_run):
    """Every combination of the three axes, in as many replicates as there are `levels`, as a loaded run."""

    def make(levels=(1.0,), *, change=lambda record: record, turns=40, noise=0.0, **run_fields):
        records = []
        for replicate, level in enumerate(levels):
            for chosen in itertools.product((False, True), repeat=3):
                axes = {axis: word for (axis, (word, _)), on in zip(GAINS.items(), chosen, strict=True) if on}
                gain = math.prod(one for (_, one), on in zip(GAINS.values(), chosen, strict=True) if on)
                case = make_case(**axes)
                record = make_record(
                    case,
                    replicate=replicate,
                    latency_s=0.05 / gain / (level if axes else 1.0),
                    baseline_latency_s=0.05 if axes else None,
                    turns=turns,
                    noise=noise,
                )
                records.append(change(record))
        records = [record for record in records if record is not None]
        run = make_run(plan=dict.fromkeys(record.case for record in records), **run_fields)
        return Study(load(write_run(tmp_path, records, run=run)))

    return make


def test_the_way_changes_one_axis_at_a_time_in_a_fixed_order(make_case):
    case = make_case(layout="nhwc", runtime="compile", precision="amp-bf16")
    assert [(one.layout, one.runtime, one.precision) for one in path(case)] == [
        ("nchw", "eager", "fp32"),
        ("nhwc", "eager", "fp32"),
        ("nhwc", "compile", "fp32"),
        ("nhwc", "compile", "amp-bf16"),
    ]
    assert len(path(make_case(layout="nhwc", precision="bf16"))) == 3
    assert path(make_case()) == [make_case()]


def test_each_step_has_its_factor_and_the_product_is_the_total(recorded):
    found = recorded((0.99, 1.0, 1.02)).chains
    assert len(found) == 4  # three pairs of axes, and all three
    longest = max(found, key=lambda chain: len(chain.steps))
    assert [(step.axis, step.before, step.after) for step in longest.steps] == [
        ("layout", "nchw", "nhwc"),
        ("runtime", "eager", "compile"),
        ("precision", "fp32", "amp-bf16"),
    ]
    assert [step.factor.value for step in longest.steps[1:]] == pytest.approx([1.5, 0.8])
    for chain in found:
        assert math.prod(step.factor.value for step in chain.steps) == pytest.approx(chain.total.value, rel=1e-12)
        assert (chain.reason, chain.replicates) == (None, (0, 1, 2))
        for one in (chain.total, *(step.factor for step in chain.steps)):
            assert one.low <= one.value <= one.high
    # All differ from the baseline by the process's luck, and from one another by nothing: pairing takes it out.
    assert longest.steps[0].factor.high / longest.steps[0].factor.low > 1.05
    assert longest.steps[1].factor.high / longest.steps[1].factor.low == pytest.approx(1)


def test_one_replicate_adds_the_widths_in_squares(recorded):
    (chain, *_) = recorded(noise=0.01).chains
    first, second = (step.factor for step in chain.steps)
    assert chain.total.low < chain.total.value < chain.total.high
    assert first.value * second.value == pytest.approx(chain.total.value)
    widths = [math.log(one.high / one.low) for one in (first, chain.total, second)]
    assert widths[2] == pytest.approx(math.hypot(*widths[:2]))


def test_too_few_turns_leave_the_factors_without_bounds(recorded):
    for chain in recorded(turns=5).chains:
        assert chain.total.value > 0
        assert (chain.total.low, chain.total.high) == (None, None)


def test_only_replicates_that_all_cases_have_count(recorded, make_case):
    missing = make_case(layout="nhwc")
    found = recorded((1.0, 1.0, 9.0), change=lambda r: None if (r.case, r.replicate) == (missing, 2) else r).chains
    through = [chain for chain in found if chain.case.layout == "nhwc"]
    assert {chain.replicates for chain in through} == {(0, 1)}
    assert through[0].total.value == pytest.approx(math.prod(step.factor.value for step in through[0].steps))
    assert through[0].steps[0].factor.value == pytest.approx(1.2)


def test_no_common_replicate_is_a_reason(recorded, make_case):
    missing = make_case(layout="nhwc")

    def split(record):
        return None if (record.case == missing) != (record.replicate == 1) else record

    broken = [chain for chain in recorded((1.0, 1.0), change=split).chains if chain.case.layout == "nhwc"]
    assert broken
    assert {chain.reason for chain in broken} == {"no replicate has all its cases"}


def test_a_wrong_case_breaks_every_chain_through_it(recorded, make_case, make_equality):
    wrong = make_case(layout="nhwc", runtime="compile")

    def spoil(record):
        return structs.replace(record, equality=make_equality("wrong")) if record.case == wrong else record

    found = recorded(change=spoil).chains
    broken = [chain for chain in found if chain.reason is not None]
    assert {chain.case.precision for chain in broken} == {"fp32", "amp-bf16"}
    for chain in broken:
        assert (chain.total, chain.steps, chain.replicates) == (None, (), ())
        assert chain.reason.startswith("fp32 compile nhwc: its result is wrong: output")
    assert len(found) - len(broken) == 2


def test_a_failure_breaks_it_and_a_gap_leaves_it_out(recorded, make_case):
    failed, gap = make_case(layout="nhwc"), make_case(runtime="compile")

    def spoil(record):
        crash = {"status": "crash", "cause": "signal 11", "samples": None}
        return None if record.case == gap else structs.replace(record, **crash) if record.case == failed else record

    found = recorded(change=spoil).chains
    assert [(chain.case.layout, chain.case.runtime) for chain in found].count(("nchw", "compile")) == 0
    assert {chain.reason for chain in found} == {"fp32 eager nhwc: crash: signal 11"}


def test_arms_have_no_chains_of_numbers(recorded):
    found = recorded(arm=Arm(name="a", pair="x", margin=0.02)).chains
    assert all(chain.total is None and "A/B" in chain.reason for chain in found)
