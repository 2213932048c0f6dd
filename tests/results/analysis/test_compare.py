import math

import pytest
from msgspec import structs

import results
from results.errors import InputError
from results.schema.axes import AXES
from results.schema.record import Noise
from results.schema.run import Accelerator, PeakRate
from results.storage.reader import Records, load

_SPREAD = (0.997, 1.0, 1.001, 1.002, 1.0)


@pytest.fixture
def side(tmp_path, write_run, make_record, make_case, make_static, make_run):
    """A run file of five replicates a case, as `factor` makes it slower."""

    def make(
        name,
        factor=1.0,
        *,
        cases=None,
        spread=_SPREAD,
        statics=None,
        settings=None,
        machine=None,
        records=(),
        fields=lambda _: {},
        **end,
    ):
        """`fields` gives what a replicate has of its own."""
        cases = [make_case()] if cases is None else cases
        made = [
            make_record(case, replicate=index, latency_s=0.05 * factor * noise, noise=0.001, **fields(index))
            for case in cases
            for index, noise in enumerate(spread)
        ]
        made += records
        run = make_run(plan=dict.fromkeys(record.case for record in made), run_id=name)
        run = structs.replace(
            run,
            settings=structs.replace(run.settings, **{"replicates": len(spread), **(settings or {})}),
            environment=structs.replace(run.environment, **(machine or {})),
        )
        statics = [make_static()] if statics is None else statics
        return load(write_run(tmp_path, made, statics, run=run, **end))

    return make


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


def test_the_frame_is_tidy(side, make_case):
    frame = results.compare(side("a"), side("b", cases=[make_case(), make_case(layout="nhwc")])).frame()
    assert list(frame.columns[: len(AXES)]) == list(AXES)
    assert list(frame["verdict"]) == ["same", "inconclusive"]
    assert frame["ratio"].dtype == "float64"
    assert math.isnan(frame["ratio"][1])


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
    (reason,) = found.reasons
    assert reason.startswith("Other 2 cores 16 GiB: ")
    assert reason.endswith(f"only in {there}")


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
