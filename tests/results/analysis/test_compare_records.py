"""What the records of a side say besides their times: failures, wrong results, doubts and load."""

import pytest
from msgspec import structs

import results
from results.schema.lines.record import Noise
from results.schema.lines.run import PeakRate
from results.storage.reader import load


@pytest.mark.parametrize(("failing", "outcome"), [("b", "regression"), ("a", "inconclusive")])
def test_a_case_that_no_longer_works_is_a_regression(side, make_record, failing, outcome):
    crash = make_record(replicate=5, status="crash", cause="signal 11")
    base, new = (side(name, records=[crash] if name == failing else []) for name in ("a", "b"))
    found = results.compare(base, new)
    assert found.outcome == outcome
    assert found.cases[0].reason == f"crash in {'NEW' if failing == 'b' else 'BASE'}: signal 11"


def test_what_another_machine_cannot_do_is_no_regression(side, make_record):
    small = [make_record(status="out-of-memory", cause="2 GiB")]
    found = results.compare(side("a"), side("b", cases=(), records=small, machine={"memory_bytes": 2**30}))
    assert found.outcome == "inconclusive"


def test_unsupported_on_both_sides_does_not_hinder(side, make_record, make_case):
    tf32 = [make_record(make_case(precision="tf32"), status="unsupported", cause="no TF32")]
    found = results.compare(side("a", records=tf32), side("b", records=tf32))
    assert (found.outcome, found.cases[1].reason) == ("pass", "unsupported on both sides")


def test_a_number_that_is_not_what_it_says_is_not_judged(side, make_record, make_case):
    half = make_record(replicate=5)
    half = structs.replace(half, ran=structs.replace(half.ran, compute_dtypes=("bfloat16",)))
    found = results.compare(side("a"), side("b", records=[half]))
    assert found.outcome == "inconclusive"
    assert found.cases[0].reason == "NEW: label: fp32 computed in bfloat16"


def test_a_series_that_never_settled_is_judged_by_its_spread(side, make_record):
    late = make_record(replicate=5, latency_s=0.05, noise=0.001)
    late = structs.replace(late, samples=structs.replace(late.samples, steady=False))
    assert results.compare(side("a"), side("b", records=[late])).outcome == "pass"


def _capped(*shares):
    """Hold the clocks of the replicates down for their power limit for these shares of the time."""
    return lambda index: {"signs": Noise(accelerator_held={"power": shares[index]})}


def test_a_card_at_its_power_limit_on_both_sides_is_judged(side):
    fields = _capped(0.9, 0.8, 0.7, 0.8, 0.9)
    found = results.compare(side("a", fields=fields), side("b", 1.1, fields=fields))
    assert (found.cases[0].verdict, found.outcome) == ("slower", "regression")


@pytest.mark.parametrize(
    ("factor", "base", "new", "verdict"),
    [
        (1.1, 0.1, 0.5, "inconclusive"),  # perhaps slower because of the limit
        (0.9, 0.5, 0.1, "inconclusive"),
        (1.1, 0.5, 0.1, "slower"),  # slower in spite of higher clocks
        (0.9, 0.1, 0.5, "faster"),
        (1.1, 0.1, 0.15, "slower"),
    ],
)
def test_a_power_limit_that_may_explain_a_change_leaves_it_open(side, factor, base, new, verdict):
    found = results.compare(side("a", fields=_capped(*[base] * 5)), side("b", factor, fields=_capped(*[new] * 5)))
    (compared,) = found.cases
    assert compared.verdict == verdict
    if verdict == "inconclusive":
        assert "throttled: the power limit held the clocks down for 50% of the time in" in compared.reason


def _busy(first):
    """Make the first so many replicates run on a busy machine."""
    return lambda index: {"signs": Noise(other_cpus=1.0 if index < first else 0.0)}


@pytest.mark.parametrize(("word", "factor"), [("slower", 1.1), ("faster", 0.9)])
@pytest.mark.parametrize("where", ["BASE", "NEW"])
def test_load_is_not_taken_for_a_change(side, where, word, factor):
    base, new = (
        side(name, speed, fields=_busy(3 if name == where else 2)) for name, speed in (("BASE", 1.0), ("NEW", factor))
    )
    (one,) = results.compare(base, new).cases
    assert one.verdict == "inconclusive"
    assert one.reason.startswith(f"{word}, but busy in {where}, in 3 of 5 processes: measure again, or use")
    assert one.p is not None
    assert one.low < one.ratio < one.high


def test_load_on_a_minority_of_processes_forbids_no_verdict(side):
    found = results.compare(side("a", fields=_busy(2)), side("b", 1.1, fields=_busy(2)))
    assert found.outcome == "regression"


def test_what_stayed_the_same_under_load_is_the_same(side):
    found = results.compare(side("a", fields=_busy(5)), side("b", fields=_busy(5)))
    assert (found.outcome, found.cases[0].verdict) == ("pass", "same")


@pytest.mark.parametrize("machine", [{}, {"cpu": "Other"}], ids=["here", "elsewhere"])
def test_a_result_that_became_wrong_is_a_regression(side, make_equality, machine):
    def wrong(index):
        return {"equality": make_equality("wrong" if index == 4 else "equal")}

    found = results.compare(side("a"), side("b", fields=wrong, machine=machine))
    (one,) = found.cases
    assert (found.outcome, one.verdict, one.broken) == ("regression", "inconclusive", True)
    assert one.reason.startswith("NEW: wrong: output, error 0.3")


@pytest.mark.parametrize("new", ["wrong", "equal"])
def test_what_was_wrong_before_passes_nothing_and_breaks_nothing(side, make_equality, new):
    base = side("a", fields=lambda _: {"equality": make_equality("wrong")})
    found = results.compare(base, side("b", fields=lambda _: {"equality": make_equality(new)}))
    assert (found.outcome, found.cases[0].broken) == ("inconclusive", False)
    assert found.cases[0].reason.startswith("BASE: wrong: ")


def test_a_baseline_that_does_not_repeat_itself_is_still_timed(side, make_equality):
    twice = {"equality": make_equality("eager-twice-differs")}
    assert results.compare(side("a", fields=lambda _: twice), side("b", fields=lambda _: twice)).outcome == "pass"


def test_a_rate_above_the_peak_is_not_judged(side, make_run, make_record, make_static, write_run, tmp_path):
    records = [make_record(replicate=index, latency_s=0.05 + 1e-4 * index) for index in range(3)]
    peak = PeakRate(device="cpu", precision="fp32", threads=2, flops_per_s=1e9)
    run = make_run(plan=[records[0].case], run_id="b", peaks=(peak,))
    found = results.compare(
        side("a", settings={"replicates": 1}), load(write_run(tmp_path, records, [make_static()], run=run))
    )
    assert found.outcome == "inconclusive"
    assert found.cases[0].reason.startswith("NEW: peak: ")
