import datetime
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from bench.process.messages import Footprint
from bench.schedule.agenda import LEAST_BUDGET_S, LEAST_REPLICATES, Agenda, allot
from bench.schedule.plan import WORKER_COSTS, Todo, WorkerCosts, estimate_s
from bench.schedule.progress import Activity
from results.schema.lines.run import Settings
from results.storage.reader import load

SETTINGS = Settings(replicates=5, target=0.01, budget_s=2.0, timeout_s=60, time_limit_s=None)
LIMITED = structs.replace(SETTINGS, time_limit_s=100.0)


def seconds_of(allotment, worker_s, begun=0):
    return allotment.cases * (allotment.replicates - begun) * (worker_s + allotment.budget_s)


# -------------------------------------------------------------------------------------------------------------- allot


def test_without_a_limit_everything_is_allotted():
    assert allot(SETTINGS, cases=10, begun=0, worker_s=0.5, left_s=float("inf")) == (5, 10, 2.0)


def test_less_sampling_comes_first_then_fewer_replicates_then_fewer_cases():
    allotments = [
        allot(SETTINGS, cases=10, begun=0, worker_s=0.5, left_s=left_s) for left_s in (125.1, 75.0, 39.0, 24.1, 20.0)
    ]
    assert [(replicates, cases) for replicates, cases, _ in allotments] == [(5, 10), (5, 10), (4, 10), (3, 10), (3, 8)]
    assert [budget_s for *_, budget_s in allotments] == pytest.approx([2.0, 1.0, 0.3, 0.3, 0.3])


@pytest.mark.parametrize(("asked", "fewest"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_an_interval_has_its_replicates_or_those_asked_for(asked, fewest):
    settings = structs.replace(SETTINGS, replicates=asked)
    assert allot(settings, cases=10, begun=0, worker_s=0.5, left_s=0.1) == (fewest, 1, LEAST_BUDGET_S)


@pytest.mark.parametrize(("begun", "replicates"), [(0, 3), (1, 3), (2, 3), (3, 3), (4, 4)])
def test_a_replicate_that_does_not_fit_begins_only_where_an_interval_needs_it(begun, replicates):
    assert allot(SETTINGS, cases=10, begun=begun, worker_s=0.5, left_s=4.0).replicates == replicates


def test_a_budget_below_the_least_is_not_raised():
    settings = structs.replace(SETTINGS, budget_s=0.02)
    assert {allot(settings, cases=4, begun=0, worker_s=0.5, left_s=left_s).budget_s for left_s in (1, 10, 99)} == {0.02}


WORK = {
    "settings": st.builds(
        lambda replicates, budget_s: structs.replace(SETTINGS, replicates=replicates, budget_s=budget_s),
        st.integers(1, 9),
        st.floats(0.01, 10),
    ),
    "cases": st.integers(1, 60),
    "worker_s": st.floats(0, 40),
    "left_s": st.floats(0.001, 10_000),
}


@given(**WORK, begun=st.integers(0, 8), more_s=st.floats(0, 1000))
def test_more_time_never_allots_less(settings, cases, worker_s, left_s, begun, more_s):
    assume(begun < settings.replicates)
    less, more = (
        allot(settings, cases=cases, begun=begun, worker_s=worker_s, left_s=seconds)
        for seconds in (left_s, left_s + more_s)
    )
    assert all(after >= before - 1e-9 for before, after in zip(less, more, strict=True))


@given(**WORK)
def test_what_is_allotted_fits_unless_it_is_the_least(settings, cases, worker_s, left_s):
    allotment = allot(settings, cases=cases, begun=0, worker_s=worker_s, left_s=left_s)
    least = min(LEAST_REPLICATES, settings.replicates)
    assert least <= allotment.replicates <= settings.replicates
    assert 1 <= allotment.cases <= cases
    assert min(LEAST_BUDGET_S, settings.budget_s) <= allotment.budget_s <= settings.budget_s
    if allotment.cases > 1 or allotment.replicates > least:
        assert seconds_of(allotment, worker_s) <= left_s * (1 + 1e-9)


@given(**WORK, begun=st.integers(LEAST_REPLICATES, 8))
def test_after_the_least_replicates_what_is_allotted_fits(settings, cases, worker_s, left_s, begun):
    assume(begun < settings.replicates)
    allotment = allot(settings, cases=cases, begun=begun, worker_s=worker_s, left_s=left_s)
    assert seconds_of(allotment, worker_s, begun) <= left_s * (1 + 1e-9)


# ------------------------------------------------------------------------------------------------------------- agenda


@pytest.fixture
def agenda(make_run, make_case):
    """The agenda of a run of five cases, of three models."""

    def make(settings=SETTINGS, began=None, before=None, **axes):
        cases = [
            make_case(model=model, layout=layout, **axes)
            for model in ("resnet50", "resnet18")
            for layout in ("nchw", "nhwc")
        ] + [make_case(model="resnet34", **axes)]
        run = structs.replace(make_run(plan=cases), settings=settings)
        return Agenda(run, before, began=time.perf_counter() if began is None else began), cases

    return make


def test_a_run_is_complete_when_every_case_has_every_replicate(agenda, make_record):
    todo, cases = agenda(structs.replace(SETTINGS, replicates=2))
    for replicate in range(2):
        work, _ = todo.next_replicate(replicate)
        assert set(work.cases) == set(cases)
        assert (work.replicate, work.anchors, work.first_part) == (replicate, (), 0)
        for case in cases:
            assert not todo.complete
            todo.finish(make_record(case, replicate=replicate))
        assert todo.next_replicate(replicate) is None
    assert todo.complete


def test_a_time_limit_is_shared_by_the_cases_of_a_card_where_cards_are_measured_at_once(make_run, make_case):
    cases = [make_case(batch_size=size, device=f"cuda:{index}") for size in range(1, 9) for index in (0, 1)]
    limited = structs.replace(SETTINGS, replicates=3, budget_s=2.0, time_limit_s=60.0)
    work = {}
    for cards in ("one-by-one", "at-once"):
        settings = structs.replace(limited, cards=cards)
        run = structs.replace(make_run(plan=cases), settings=settings)
        todo = Agenda(run, began=time.perf_counter())
        work[cards], _ = todo.next_replicate(0)
        todo.replicate_ended(work[cards], 0.3, 30.0)
        todo.replicate_ended(work[cards], 0.3, 30.0)
        workers = len(work[cards].cases) / (2 if cards == "at-once" else 1)
        assert todo._worker_s == pytest.approx(30.0 / workers - 0.3)
    assert {cards: len(done.cases) for cards, done in work.items()} == {"one-by-one": 4, "at-once": 8}
    for done in work.values():
        sizes = [{case.batch_size for case in done.cases if case.device == f"cuda:{index}"} for index in (0, 1)]
        assert sizes[0] == sizes[1]


def test_two_small_cases_start_first_then_the_heaviest(agenda, make_static):
    todo, cases = agenda()
    for model, macs in (("resnet50", 4 << 30), ("resnet18", 2 << 30), ("resnet34", 3 << 30)):
        todo.count(make_static(model, macs=macs))
    work, _ = todo.next_replicate(0)
    assert [case.model for case in work.cases] == ["resnet18", "resnet18", "resnet50", "resnet50", "resnet34"]
    sizes = dict(zip(cases, (1, 9, 5, 4, 2), strict=True))
    for case, size in sizes.items():
        todo.room.learn(case, Footprint(host_bytes=size, device_bytes=None, device_free_bytes=None))
    work, _ = todo.next_replicate(1)
    assert [sizes[case] for case in work.cases] == [1, 2, 9, 5, 4]


def test_each_device_has_two_small_cases_first_and_anchors_of_its_own(
    make_run, make_case, make_record, write_run, tmp_path
):
    sizes = {"resnet18": 1, "resnet34": 2, "resnet50": 5, "resnet101": 9}
    cases = [make_case(model=model, device=f"cuda:{index}") for model in sizes for index in (0, 1)]
    run = structs.replace(make_run(plan=cases), settings=SETTINGS)

    def order(records=()):
        before = load(write_run(tmp_path / str(len(records)), records, run=run, status="interrupted")).files[0]
        todo = Agenda(run, before, began=time.perf_counter())
        for case in cases:
            footprint = Footprint(host_bytes=sizes[case.model], device_bytes=None, device_free_bytes=None)
            todo.room.learn(case, footprint)
        work, _ = todo.next_replicate(0)
        return work, [(case.device, sizes[case.model]) for case in work.cases]

    assert order()[1] == [(f"cuda:{index}", size) for index in (0, 1) for size in (1, 2, 9, 5)]
    measured = [make_record(case) for case in cases[:-1]]  # all of the first card
    work, left = order(measured)
    assert left == [("cuda:1", 9)]
    assert [(case.device, sizes[case.model]) for case in work.anchors] == [("cuda:1", 1), ("cuda:1", 2)]


def test_after_a_break_two_small_cases_are_measured_again_and_parts_go_on(
    agenda, make_record, make_static, write_run, tmp_path
):
    _, cases = agenda()
    records = [make_record(case) for case in cases[:3]]
    records.append(make_record(cases[3], status="crash", cause="killed"))
    records = [
        structs.replace(
            record, samples=record.samples and structs.replace(record.samples, part=(index,) * 40, at_s=(1.0,) * 40)
        )
        for index, record in enumerate(records)
    ]
    path = write_run(tmp_path, records, [make_static("resnet50"), make_static("resnet18", macs=2 << 28)])
    todo, _ = agenda(before=load(path).files[0])
    work, _ = todo.next_replicate(0)
    assert work == Todo(replicate=0, cases=(cases[4],), anchors=(cases[2], cases[0]), first_part=3)
    work, _ = todo.next_replicate(1)
    assert (len(work.cases), work.anchors, work.first_part) == (5, (), 0)


@pytest.mark.parametrize(("ago_s", "latest_s", "age_s"), [(500, 90.0, 500), (5, 90.0, 90), (-50, 90.0, 90)])
def test_times_after_a_break_follow_those_before_it_whatever_the_clock_says(
    agenda, make_record, make_run, write_run, tmp_path, ago_s, latest_s, age_s
):
    _, cases = agenda()
    record = make_record(cases[0])
    times = (*(float(turn) for turn in range(39)), latest_s)
    record = structs.replace(record, samples=structs.replace(record.samples, at_s=times, part=(0,) * 40))
    started = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago_s)
    run = make_run(plan=cases, started=started.isoformat())
    (file,) = load(write_run(tmp_path, [record], run=run)).files
    now = time.perf_counter()
    assert now - Agenda(run, file, began=now).epoch == pytest.approx(age_s, abs=1)
    assert Agenda(run, began=now).epoch == now


def test_progress_counts_records_and_estimates_what_was_left_at_the_start(agenda, make_record, write_run, tmp_path):
    todo, cases = agenda(structs.replace(SETTINGS, replicates=2), began=time.perf_counter() - 10.0)
    state = todo.progress(Activity(phase="measuring", case=cases[0], steps=3))
    assert (state.done, state.total, state.steps, state.case) == (0, 10, 3, cases[0].key)
    assert state.seconds_left == pytest.approx(10 * 2.5 - 10, abs=1)
    todo.finish(make_record(cases[0]))
    assert todo.progress(Activity(phase="preparing", case=cases[1])).done == 1
    (file,) = load(write_run(tmp_path, [make_record(case) for case in cases])).files
    resumed, _ = agenda(structs.replace(SETTINGS, replicates=2), before=file)
    assert resumed.progress(Activity(phase="preparing", case=cases[1])).seconds_left == pytest.approx(12.5, abs=1)


def test_without_a_limit_the_budget_is_the_settings(agenda):
    assert agenda()[0].next_replicate(0)[1] == SETTINGS


def test_under_a_limit_a_worker_gets_its_share(agenda):
    settings = structs.replace(LIMITED, time_limit_s=40.0)
    _, sampling = agenda(settings)[0].next_replicate(0)
    assert sampling.budget_s == pytest.approx(40 / 25 - 0.5, abs=0.1)
    assert sampling == structs.replace(settings, budget_s=sampling.budget_s)


def test_what_a_worker_takes_beside_its_sampling_is_learnt_from_later_replicates(agenda, make_record):
    todo, _ = agenda(structs.replace(LIMITED, time_limit_s=40.0))
    work, _ = todo.next_replicate(0)
    todo.replicate_ended(work, 1.0, 500.0)  # the first fills caches and checks results
    assert todo.next_replicate(1)[1].budget_s == pytest.approx(40 / 20 - 0.5, abs=0.1)
    work, _ = todo.next_replicate(1)
    todo.replicate_ended(work, 1.0, 10.0)
    assert todo.next_replicate(2)[1].budget_s == pytest.approx(40 / 15 - 1.0, abs=0.1)


def test_cases_that_do_not_fit_are_left_out_of_all_replicates(agenda, make_record):
    todo, cases = agenda(structs.replace(LIMITED, time_limit_s=8.0))
    work, sampling = todo.next_replicate(0)
    assert set(work.cases) == set(cases[:3])
    assert sampling.budget_s == LEAST_BUDGET_S
    for case in work.cases:
        todo.finish(make_record(case))
    assert set(todo.next_replicate(1)[0].cases) == set(cases[:3])
    assert not todo.complete


def test_a_short_run_of_compiled_cases_begins_with_its_first_replicate(agenda):
    todo, cases = agenda(structs.replace(LIMITED, time_limit_s=60.0), runtime="compile")
    work, _ = todo.next_replicate(0)
    assert 1 <= len(work.cases) < len(cases)
    assert cases[0] in work.cases
    eager, _ = agenda(structs.replace(LIMITED, time_limit_s=60.0))
    assert len(eager.next_replicate(0)[0].cases) == len(cases)


def test_compilations_are_estimated_until_workers_have_shown_them(agenda, monkeypatch):
    costs = WorkerCosts(
        worker_s=0.5, compile_s=10.0, autotune_s=99.0, warm_compile_s=1.0, light_s=5.0, warm_light_s=0.5
    )
    monkeypatch.setitem(WORKER_COSTS, "cpu", costs)
    todo, _ = agenda(LIMITED, runtime="compile")
    budgets = []
    for replicate in range(3):
        work, sampling = todo.next_replicate(replicate)
        budgets.append(sampling.budget_s)
        todo.replicate_ended(work, 0.0, 5 * 2.0)
    assert budgets[0] == pytest.approx(100 / 25 - 0.5 - (10 + 4) / 5, abs=0.1)
    assert budgets[1:] == [2.0, 2.0]


def test_on_an_accelerator_a_worker_is_given_the_time_that_its_kind_takes(agenda, monkeypatch):
    costs = WorkerCosts(
        worker_s=3.0, compile_s=10.0, autotune_s=30.0, warm_compile_s=2.0, light_s=5.0, warm_light_s=0.5
    )
    monkeypatch.setitem(WORKER_COSTS, "accelerator", costs)
    eager, _ = agenda(LIMITED, device="cuda:0")
    assert eager.next_replicate(0)[1].budget_s == pytest.approx(100 / 25 - 3.0, abs=0.1)
    settings = structs.replace(LIMITED, time_limit_s=300.0)
    autotuned, _ = agenda(settings, device="cuda:0", runtime="compile:max-autotune")
    assert autotuned.next_replicate(0)[1].budget_s == pytest.approx(300 / 25 - 3.0 - (30 + 4 * 2) / 5, abs=0.1)


def test_when_the_time_is_over_nothing_is_left_to_do(agenda):
    todo, _ = agenda(LIMITED, began=time.perf_counter() - 101)
    assert [todo.next_replicate(replicate) for replicate in range(5)] == [None] * 5


def test_a_model_is_counted_once_and_its_records_say_when_it_cannot_be(agenda, make_record, make_static):
    todo, cases = agenda()
    models = todo.models_to_count()
    assert models == [(name, 224, 3, "classifier") for name in ("resnet50", "resnet18", "resnet34")]
    todo.give_up_counting(models[0], "no such operator")
    todo.count(make_static("resnet18"))
    assert todo.models_to_count() == models[2:]
    assert "no such operator" in todo.finish(make_record(cases[0])).notes[-1]
    record = make_record(cases[2])
    assert todo.finish(record) == record


def test_time_in_sustained_use_is_set_apart_and_is_that_of_the_last_replicate(agenda, monkeypatch):
    costs = WorkerCosts(
        worker_s=0.5, compile_s=10.0, autotune_s=99.0, warm_compile_s=1.0, light_s=5.0, warm_light_s=0.5
    )
    monkeypatch.setitem(WORKER_COSTS, "accelerator", costs)
    settings = structs.replace(LIMITED, time_limit_s=80.0, sustained_s=6.0)
    todo, cases = agenda(settings, device="cuda:0")
    assert estimate_s(cases, structs.replace(settings, time_limit_s=None)) == pytest.approx(5 * 5 * 2.5 + 5 * 6)
    work = [todo.next_replicate(replicate) for replicate in range(5)]
    assert work[0][1].budget_s == pytest.approx((80 - 30) / 25 - 0.5, abs=0.1)
    assert [todo.sustains for todo, _ in work] == [False] * 4 + [True]
    assert not agenda(LIMITED, device="cuda:0")[0].next_replicate(4)[0].sustains


@pytest.mark.parametrize(("cards", "cases"), [("one-by-one", 4), ("at-once", 2)])
def test_cards_at_once_are_in_sustained_use_at_the_same_time(make_run, make_case, cards, cases):
    plan = [make_case(batch_size=size, device=f"cuda:{index}") for size in (1, 2) for index in (0, 1)]
    settings = structs.replace(LIMITED, replicates=1, time_limit_s=300.0, sustained_s=30.0, cards=cards, budget_s=999.0)
    todo = Agenda(structs.replace(make_run(plan=plan), settings=settings), began=time.perf_counter())
    todo._worker_s = 1.0
    work, sampling = todo.next_replicate(0)
    assert sampling.budget_s == pytest.approx((300 - cases * 30) / cases - 1, abs=1)
    for _ in range(2):
        todo.replicate_ended(work, 5.0, cases * (5 + 30 + 7))
    assert todo._worker_s == pytest.approx(7)
