"""What the sides of a comparison were measured on and with, and the counts of their models."""

import pytest

import results
from results.schema.lines.run import Accelerator


def test_times_of_other_hardware_are_shown_and_not_judged(side):
    found = results.compare(side("a"), side("b", 2.0, machine={"cpu": "Other"}))
    (one,) = found.cases
    assert (one.verdict, found.outcome, found.same_hardware) == ("inconclusive", "inconclusive", False)
    assert one.ratio == pytest.approx(2, rel=0.01)
    assert [(change.what, change.new) for change in found.environment] == [("cpu", "Other")]


def test_a_kernel_that_keeps_some_memory_is_the_same_hardware(side):
    assert results.compare(side("a"), side("b", machine={"memory_bytes": 16 * 2**30 - 2**20})).same_hardware


@pytest.mark.parametrize("machine", [{}, {"cpu": "Other"}], ids=["here", "elsewhere"])
@pytest.mark.parametrize("name", ["parameters", "macs", "training_flops"])
def test_counts_are_gated_exactly_everywhere(side, make_static, name, machine):
    changed = make_static(**{name: getattr(make_static(), name) - 1})
    found = results.compare(side("a"), side("b", statics=[changed], machine=machine))
    assert found.outcome == "regression"
    assert [change.what for change in found.counts] == [f"{name} of resnet50 at 224 pixels"]


def test_software_may_differ_and_is_listed(side):
    machine = {"torch": "2.15.0", "variables": {"OMP_NUM_THREADS": "1"}}
    found = results.compare(side("a"), side("b", machine=machine))
    assert found.outcome == "pass"
    assert {(change.what, change.base, change.new) for change in found.environment} == {
        ("torch", "2.14.1", "2.15.0"),
        ("variables.OMP_NUM_THREADS", "-", "1"),
    }


def test_the_rate_of_a_clock_at_one_moment_is_no_difference(side):
    def clocked(hz, most):
        card = Accelerator(device="cuda:0", name="H100", memory_bytes=80, clock_hz=hz, max_clock_hz=most)
        return {"accelerators": (card,)}

    found = results.compare(
        side("a", machine=clocked(1_755_000_000, 1_980_000_000)), side("b", machine=clocked(345_000_000, 1_980_000_000))
    )
    assert found.environment == ()
    found = results.compare(
        side("c", machine=clocked(1_755_000_000, 1_980_000_000)),
        side("d", machine=clocked(1_755_000_000, 1_200_000_000)),
    )
    assert [change.what for change in found.environment] == ["cuda:0.max_clock_hz"]
