"""Sides that hold runs of several machines."""

import pytest
from msgspec import structs

import results
from results.storage.reader import Records, load

GPU = {"cpu": "Other"}


def _machines(side, name, here=1.0, there=1.0, **there_fields):
    """A side with runs of two machines, each with its factor."""
    files = [*side(f"{name}1", here).files, *side(f"{name}2", there, machine=GPU, **there_fields).files]
    return Records(tuple(files))


def test_each_machine_is_compared_with_itself(side):
    found = results.compare(_machines(side, "a", 1.0, 3.0), _machines(side, "b", 1.0, 3.0))
    assert (found.outcome, found.same_hardware, found.reasons) == ("pass", True, ())
    assert [one.verdict for one in found.cases] == ["same", "same"]
    assert [one.machine for one in found.cases] == ["AMD EPYC 9B14 2 cores 16 GiB", "Other 2 cores 16 GiB"]
    assert list(found.frame()["machine"]) == [one.machine for one in found.cases]


def test_one_slower_machine_is_a_regression_and_is_named(side):
    found = results.compare(_machines(side, "a", 1.0, 3.0), _machines(side, "b", 1.0, 3.3))
    assert found.outcome == "regression"
    assert {one.machine: one.verdict for one in found.cases} == {
        "AMD EPYC 9B14 2 cores 16 GiB": "same",
        "Other 2 cores 16 GiB": "slower",
    }


@pytest.mark.parametrize("lost", ["a", "b"])
def test_a_machine_that_only_one_side_has_never_passes(side, lost):
    sides = {name: _machines(side, name) for name in "ab"}
    sides[lost] = Records(sides[lost].files[:1])
    found = results.compare(sides["a"], sides["b"])
    assert found.outcome == "inconclusive"
    assert [one.verdict for one in found.cases] == ["same", "inconclusive"]
    there = "BASE" if lost == "b" else "NEW"
    assert found.reasons == (f"Other 2 cores 16 GiB: this machine is only in {there}",)


@pytest.mark.parametrize("where", ["a", "b"])
def test_a_machine_without_a_record_never_passes(side, where):
    sides = {name: _machines(side, name, **({"cases": ()} if name == where else {})) for name in "ab"}
    assert results.compare(sides["a"], sides["b"]).outcome == "inconclusive"


def test_two_machines_without_any_record_never_pass(side):
    found = results.compare(_machines(side, "a", cases=()), _machines(side, "b", cases=()))
    assert found.outcome == "inconclusive"
    assert "Other 2 cores 16 GiB: no case is on both sides" in found.reasons


def test_what_is_left_over_on_both_sides_is_shown_and_not_judged(side):
    base = Records((*side("a1").files, *side("a2", machine={"cpu": "Old"}).files))
    new = Records((*side("b1").files, *side("b2", 2.0, machine={"cpu": "New"}).files))
    found = results.compare(base, new)
    assert found.outcome == "inconclusive"
    assert [one.verdict for one in found.cases] == ["same", "inconclusive"]
    assert found.cases[1].ratio == pytest.approx(2, rel=0.01)
    assert found.reasons[0].startswith("Old 2 cores 16 GiB against New 2 cores 16 GiB: other hardware")


def test_settings_and_software_are_compared_machine_by_machine(side):
    base = _machines(side, "a")
    new = _machines(side, "b", settings={"budget_s": 9.0})
    found = results.compare(base, new)
    assert [one.verdict for one in found.cases] == ["same", "inconclusive"]
    assert found.cases[1].reason.startswith("unequal settings: budget_s")


def test_the_correction_is_one_over_all_machines(side):
    alone = results.compare(side("c"), side("d", 1.03)).cases[0]
    beside = results.compare(_machines(side, "a"), _machines(side, "b", 1.03, 1.03)).cases
    assert [one.p for one in beside] == pytest.approx([2 * alone.p] * 2, rel=1e-6)


def test_counts_are_gated_across_machines(side, make_static):
    changed = make_static(macs=make_static().macs - 1)
    new = Records((*side("b1").files, *side("b2", machine={"cpu": "New"}, statics=[changed]).files))
    found = results.compare(_machines(side, "a"), new)
    assert (found.outcome, [change.what for change in found.counts]) == (
        "regression",
        ["macs of resnet50 at 224 pixels"],
    )


def test_a_static_cost_that_one_machine_lacks_is_not_another_machines(
    make_case, make_record, make_run, make_static, write_run, tmp_path
):
    sides = []
    for side in ("base", "new"):
        for chip in ("x86", "arm"):
            records = [make_record(replicate=index, seed=f"{side}{index}") for index in range(5)]
            run = make_run(plan=[make_case()], run_id=f"{side}-{chip}")
            run = structs.replace(run, environment=structs.replace(run.environment, cpu=chip))
            statics = [] if (side, chip) == ("new", "arm") else [make_static()]
            write_run(tmp_path / side, records, statics, run=run)
        sides.append(load(tmp_path / side))
    found = results.compare(*sides)
    assert any("the static cost of resnet50 at 224 pixels is not in NEW" in reason for reason in found.reasons)
    assert found.outcome == "inconclusive"
