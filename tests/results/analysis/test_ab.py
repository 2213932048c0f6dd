import dataclasses
import json
import math
import random

import pytest
from msgspec import structs

from reports.text.comparison import arms_text
from results.analysis.ab import compare_arms, ratio
from results.errors import InputError
from results.schema.lines.record import Equality, Noise
from results.schema.lines.run import Arm
from results.storage.reader import load


@pytest.fixture
def sides(tmp_path, make_case, make_record, make_static, make_run, write_run):
    """Return the loaded files of two arms whose true ratio is `factor`; `change` may change a record of an arm."""

    def make(factor=1.0, pairs=10, *, change=lambda _name, record: record, margin=0.02, cases=None, name="pair", **end):
        rng = random.Random(7)
        cases = cases or {"a": make_case(layout="nchw"), "b": make_case(layout="nhwc")}
        records = {"a": [], "b": []}
        for index in range(pairs):
            level = {"a": 0.05, "b": 0.05 * factor * rng.lognormvariate(0, 0.008)}
            for arm, case in cases.items():
                record = make_record(case, latency_s=level[arm], replicate=index, noise=0.002)
                if arm == "b":
                    turns = len(record.samples.wall_s)
                    record = structs.replace(
                        record, samples=structs.replace(record.samples, arm_s=(level["a"],) * turns)
                    )
                records[arm].append(change(arm, record))
        loaded = []
        for arm, case in cases.items():
            head = make_run(plan=[case], run_id=f"{name}-{arm}", arm=Arm(name=arm, pair=name, margin=margin))
            loaded.append(load(write_run(tmp_path, records[arm], [make_static()], run=head, **end)))
        return loaded

    return make


def test_the_ratio_of_a_pair_is_free_of_the_drift_that_both_arms_share(make_record):
    def drifting(record):
        samples = record.samples
        step_s = tuple(step * (1 + 0.02 * turn) for step, turn in zip(samples.step_s, samples.turn, strict=True))
        return structs.replace(record, samples=structs.replace(samples, step_s=step_s))

    a, b = (drifting(make_record(latency_s=own, began_s=at)) for own, at in ((0.05, 0.0), (0.06, 0.5)))
    assert ratio(a, b) == pytest.approx(1.2, rel=0.01)
    assert ratio(b, a) == pytest.approx(1 / ratio(a, b))
    assert ratio(a, structs.replace(b, status="crash")) is None
    assert ratio(a, make_record(turns=2, warmup=4, began_s=0.5)) is None
    assert ratio(make_record(), make_record()) is None  # turns without times were not taken together


@pytest.mark.parametrize(
    ("factor", "verdict", "outcome"),
    [(1.0, "same", "pass"), (1.1, "slower", "regression"), (0.9, "faster", "pass"), (1.02, "inconclusive", None)],
)
def test_the_verdict_is_of_arm_b(sides, factor, verdict, outcome):
    found = compare_arms(*sides(factor))
    assert found.judged.verdict == verdict
    assert found.outcome == (outcome or "inconclusive")
    assert found.judged.low < factor < found.judged.high
    assert len(found.ratios) == found.judged.pairs == 10
    assert found.b_latency_s / found.a_latency_s == pytest.approx(factor, rel=0.02)
    assert found.pair_s > 0


def test_batches_of_different_size_are_compared_by_the_image(sides, make_case):
    found = compare_arms(*sides(2.0, cases={"a": make_case(batch_size=4), "b": make_case(batch_size=8)}))
    assert found.judged.ratio == pytest.approx(1.0, rel=0.01)


def test_a_failed_arm_b_is_broken_and_a_failed_arm_a_is_not(sides, make_record):
    def fail(arm):
        return lambda name, record: (
            make_record(record.case, replicate=record.replicate, status="crash", cause="boom")
            if name == arm and record.replicate == 4
            else record
        )

    broken = compare_arms(*sides(change=fail("b")))
    assert (broken.broken, broken.outcome) == (True, "regression")
    assert broken.reasons == ("crash in arm b: boom",)
    assert compare_arms(*sides(change=fail("a"), name="other")).outcome == "inconclusive"


def test_a_wrong_result_is_never_a_gain(sides):
    wrong = Equality(verdict="wrong", error=0.5, baseline_error=1e-6, allowed=1e-5, what="output")
    found = compare_arms(
        *sides(0.5, change=lambda name, record: structs.replace(record, equality=wrong if name == "b" else None))
    )
    assert found.judged.verdict == "faster"
    assert (found.broken, found.outcome) == (True, "regression")
    assert found.reasons[0].startswith("arm b: wrong: ")


def test_what_cannot_be_believed_is_no_verdict(sides):
    def shrink(name, record):
        return structs.replace(record, ran=structs.replace(record.ran, batch_size=4))

    found = compare_arms(*sides(1.1, change=shrink))
    assert found.outcome == "inconclusive"
    assert any("label: " in reason for reason in found.reasons)


def test_noise_is_told_and_forbids_nothing(sides):
    found = compare_arms(*sides(change=lambda _, record: structs.replace(record, noise=Noise(other_cpus=1.0))))
    assert found.outcome == "pass"
    assert found.notices == ("busy in arm a: 10 of its processes", "busy in arm b: 10 of its processes")


def test_one_pair_zero_variance_and_a_cut_file_are_no_pass(sides):
    assert compare_arms(*sides(pairs=1)).outcome == "inconclusive"
    assert compare_arms(*sides(status=None, name="cut")).outcome == "inconclusive"
    same = sides(1.0, name="equal", change=lambda name, record: record if name == "a" else _constant(record))
    found = compare_arms(*same)
    assert found.judged.reason.startswith("zero variance")
    assert found.outcome == "inconclusive"


def _constant(record):
    samples = record.samples
    steps = tuple(0.05 for _ in samples.step_s)
    return structs.replace(
        record,
        samples=structs.replace(
            samples, step_s=steps, wall_s=(0.0501,) * len(samples.wall_s), arm_s=(0.05,) * len(samples.wall_s)
        ),
    )


def test_pairs_without_a_common_steady_round_are_told(sides):
    def lonely(name, record):
        if name == "a" or record.replicate != 3:
            return record
        return structs.replace(record, samples=structs.replace(record.samples, arm_s=()))

    found = compare_arms(*sides(change=lonely))
    assert found.judged.pairs == 9
    assert found.reasons == ("1 of 10 pairs have no steady turns in common",)


def test_counts_that_differ_are_a_regression(sides, tmp_path, make_static, make_run, write_run, make_record):
    a, b = sides()
    head = structs.replace(b.files[0].run, id="recounted-b")
    recounted = load(write_run(tmp_path, list(b), [make_static(parameters=1)], run=head))
    found = compare_arms(a, recounted)
    assert [change.what for change in found.counts] == ["parameters of resnet50 at 224 pixels"]
    assert found.outcome == "regression"


def test_other_files_are_refused(sides, tmp_path, make_record, write_run, make_run):
    a, b = sides()
    other = load(write_run(tmp_path, [make_record()], run=make_run(plan=[make_record().case], run_id="plain")))
    for one, two in ((a, other), (other, b), (b, a), (a, a)):
        with pytest.raises(InputError, match=r"A/B|are not one pair"):
            compare_arms(one, two)


def _without_plan(side, tmp_path, write_run, make_static):
    run = structs.replace(side.files[0].run, plan=())
    (tmp_path / "planless").mkdir(exist_ok=True)
    return load(write_run(tmp_path / "planless", list(side), [make_static()], run=run))


def test_an_arm_without_a_plan_is_refused(sides, tmp_path, write_run, make_static):
    a, b = sides()
    for one, two in (
        (_without_plan(a, tmp_path, write_run, make_static), b),
        (a, _without_plan(b, tmp_path, write_run, make_static)),
    ):
        with pytest.raises(InputError, match="no arm of an A/B comparison") as caught:
            compare_arms(one, two)
        assert "\n" not in str(caught.value)


def test_an_arm_of_another_case_than_its_plan_is_refused(sides, make_case):
    def moved(name, record):
        return structs.replace(record, case=make_case(batch_size=4)) if name == "b" else record

    with pytest.raises(InputError, match="holds 2 cases"):
        compare_arms(*sides(change=moved))


def test_a_pair_that_does_not_tell_how_long_it_took_is_refused(sides):
    def timeless(_, record):
        return structs.replace(record, duration_s=None) if record.replicate == 3 else record

    with pytest.raises(InputError, match=r"replicate 3 .*duration_s"):
        compare_arms(*sides(change=timeless))


def test_more_pairs_than_are_ever_looked_at_are_refused(sides):
    assert compare_arms(*sides(pairs=40)).judged.pairs == 40
    with pytest.raises(InputError, match="41 pairs"):
        compare_arms(*sides(pairs=41, name="more"))


def test_arms_that_name_two_margins_or_none_that_is_one_are_refused(sides):
    a, _ = sides(name="same")
    other = structs.replace(a.files[0].run.arm, name="b", margin=0.5)
    file = dataclasses.replace(a.files[0], run=structs.replace(a.files[0].run, arm=other))
    with pytest.raises(InputError, match="two margins"):
        compare_arms(a, type(a)((file,)))
    with pytest.raises(InputError, match="margin 1 is not between"):
        compare_arms(*sides(margin=1.0, name="all"))


def test_a_replicate_that_was_measured_again_is_one_pair(sides, tmp_path, write_run, make_static):
    a, b = sides()
    (tmp_path / "again").mkdir()
    again = load(write_run(tmp_path / "again", [*a, a[0]], [make_static()], run=a.files[0].run))
    assert compare_arms(again, b).judged.pairs == 10


def test_a_process_without_a_partner_is_told_and_passes_nothing(sides, tmp_path, write_run, make_static):
    a, b = sides()
    (tmp_path / "fewer").mkdir()
    fewer = load(write_run(tmp_path / "fewer", list(b)[:-2], [make_static()], run=b.files[0].run))
    found = compare_arms(a, fewer)
    assert (found.judged.pairs, found.outcome) == (8, "inconclusive")
    assert found.reasons == ("2 processes have no partner in the other arm",)


def test_no_records_are_no_arm(sides):
    a, _ = sides()
    with pytest.raises(InputError, match="A/B"):
        compare_arms(a, type(a)(()))


@pytest.mark.parametrize("fmt", ["table", "json", "csv", "markdown"])
def test_every_format_says_what_was_found(sides, fmt):
    text = arms_text(compare_arms(*sides(1.1)), fmt)
    if fmt == "json":
        content = json.loads(text)
        assert content["outcome"] == "regression"
        assert content["judged"]["pairs"] == len(content["ratios"]) == 10
    elif fmt == "csv":
        assert text.splitlines()[0] == "pair,ratio"
        assert math.prod(float(line.split(",")[1]) for line in text.splitlines()[1:]) ** 0.1 == pytest.approx(
            1.1, rel=0.02
        )
    else:
        assert text.startswith("regression: b is slower at a margin of 2 %: b takes 1.09")
        assert "nhwc" in text


def test_too_few_pairs_are_told_in_words(sides):
    assert "inconclusive, 1 pair: the spread between pairs is unknown" in arms_text(
        compare_arms(*sides(pairs=1)), "table"
    )
