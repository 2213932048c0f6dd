import math

import pytest

import results
from results.errors import InputError
from results.schema.axes import AXES
from results.storage.reader import load


def test_where_nothing_was_measured_nothing_passes(make_case, make_record, make_run, make_static, write_run, tmp_path):
    record = make_record(make_case(), status="unsupported", cause="no such thing here")
    sides = [
        load(write_run(tmp_path / name, [record], [make_static()], run=make_run(plan=[record.case], run_id=name)))
        for name in ("base", "new")
    ]
    found = results.compare(*sides)
    assert [one.verdict for one in found.cases] == ["same"]
    assert found.outcome == "inconclusive"


def test_nothing_changed(side):
    found = results.compare(side("a"), side("b"))
    (one,) = found.cases
    assert (found.outcome, one.verdict, one.reason) == ("pass", "same", None)
    assert one.low < one.ratio < one.high
    assert (one.base_replicates, one.new_replicates) == (5, 5)
    assert (found.environment, found.counts, found.reasons, found.same_hardware) == ((), (), (), True)


@pytest.mark.parametrize(
    ("factor", "word", "outcome"),
    [
        (1.1, "slower", "regression"),
        (0.9, "faster", "pass"),
        (1.02, "inconclusive", "inconclusive"),
    ],
)
def test_what_changed_is_told(side, factor, word, outcome):
    found = results.compare(side("a"), side("b", factor))
    (one,) = found.cases
    assert (one.verdict, found.outcome) == (word, outcome)
    assert one.ratio == pytest.approx(factor, rel=0.002)
    assert (one.reason is None) == (word != "inconclusive")


def test_a_wider_margin_makes_it_the_same(side):
    base, new = side("a"), side("b", 1.1)
    assert results.compare(base, new, margin=0.15).outcome == "pass"


@pytest.mark.parametrize("margin", [0, -0.1, 1, 2, math.nan])
def test_a_margin_that_is_none_is_refused(side, margin):
    with pytest.raises(InputError, match="margin"):
        results.compare(side("a"), side("b"), margin=margin)


def test_a_run_is_not_compared_with_itself(side):
    base = side("a")
    with pytest.raises(InputError, match="run a is on both sides"):
        results.compare(base, base)


def test_runs_of_one_side_are_brought_together(side, tmp_path):
    side("a1", spread=(0.99, 1.0))
    side("a2", spread=(1.01, 1.005))
    base = load(tmp_path)
    (one,) = results.compare(base, side("b")).cases
    assert one.base_replicates == 4


@pytest.mark.parametrize("where", ["BASE", "NEW"])
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"spread": (1.0,)}, "1 replicate in"),
        ({"settings": {"budget_s": 9.0}}, "unequal settings: budget_s is"),
        ({"settings": {"target": 0.5}}, "unequal settings: target is"),
        ({"machine": {"cpu": "Other"}}, "other hardware"),
        ({"machine": {"usable_cores": 1}}, "other hardware"),
        ({"machine": {"memory_bytes": 2**30}}, "other hardware"),
        ({"statics": ()}, "the static cost of resnet50 at 224 pixels is not in"),
        ({"status": "interrupted"}, "the run was interrupted"),
        ({"status": None}, "no end line"),
        ({"cases": ()}, "no case is on both sides"),
    ],
)
def test_it_never_passes_where(side, where, broken, reason):
    base, new = (side(name, **(broken if name == where else {})) for name in ("BASE", "NEW"))
    found = results.compare(base, new)
    assert found.outcome == "inconclusive"
    assert any(reason in line for line in (*found.reasons, *(one.reason or "" for one in found.cases)))


def test_zero_variance_never_passes(side, make_case, make_record):
    constant = [make_record(replicate=index, noise=0.0) for index in range(3)]
    found = results.compare(side("a", cases=(), records=constant), side("b"))
    assert found.outcome == "inconclusive"
    assert "zero variance in BASE" in found.cases[0].reason


def test_a_damaged_file_never_passes(side):
    base = side("a")
    path = base.files[0].path
    path.write_bytes(path.read_bytes().replace(b'"replicate":4', b'"replicate":3'))
    found = results.compare(load(path), side("b"))
    assert found.outcome == "inconclusive"
    assert "checksum does not match" in found.reasons[0]


def test_cases_that_vanished_or_are_new_never_pass(side, make_case, make_static):
    both, old, late = (make_case(batch_size=size) for size in (1, 2, 4))
    found = results.compare(side("a", cases=[both, old]), side("b", cases=[both, late]))
    assert (found.vanished, found.added, found.outcome) == ((old,), (late,), "inconclusive")
    assert [one.verdict for one in found.cases] == ["same", "inconclusive", "inconclusive"]
    assert [one.reason and one.reason[:12] for one in found.cases] == [None, "only in BASE", "only in NEW:"]


def test_other_threads_are_other_cases_and_it_is_said(side, make_case):
    found = results.compare(side("a"), side("b", cases=[make_case(threads=4)]))
    assert any("cpu with 2 threads in BASE, cpu with 4 in NEW" in line for line in found.reasons)
    assert "no case is on both sides" in found.reasons


def test_the_frame_is_tidy(side, make_case):
    frame = results.compare(side("a"), side("b", cases=[make_case(), make_case(layout="nhwc")])).frame()
    assert list(frame.columns[: len(AXES)]) == list(AXES)
    assert list(frame["verdict"]) == ["same", "inconclusive"]
    assert frame["ratio"].dtype == "float64"
    assert math.isnan(frame["ratio"][1])
