import time

import pytest
from msgspec import structs

from bench.process import ask
from bench.schedule.group import Activity
from bench.schedule.plan import Agenda, estimate_s, make_plan, share_of_limit
from bench.suites.request import requested
from results.errors import InputError
from results.schema.run import Settings

SETTINGS = Settings(replicates=2, target=0.01, budget_s=5.0, timeout_s=60, time_limit_s=None)


@pytest.fixture
def agenda(make_run, make_case):
    """The agenda of a run of two cases and two replicates."""

    def make(settings=SETTINGS, began=0.0, **axes):
        cases = [make_case(batch_size=size, **axes) for size in (1, 8)]
        run = structs.replace(make_run(plan=cases), settings=settings)
        return Agenda(run, began=began), cases

    return make


def test_a_compiled_case_takes_longer_and_the_time_limit_is_an_upper_bound(make_case):
    eager, compiled = make_case(), make_case(runtime="compile")
    assert estimate_s([eager], SETTINGS) == pytest.approx(2 * 6.5)
    assert estimate_s([compiled], SETTINGS) > estimate_s([eager], SETTINGS)
    assert estimate_s([compiled], structs.replace(SETTINGS, time_limit_s=3.0)) == 3.0


def test_a_run_is_complete_when_every_case_has_every_replicate(agenda, make_record):
    todo, cases = agenda()
    for replicate in range(2):
        assert [group.cases for group in todo.groups(replicate)] == [(case,) for case in cases]
        for case in cases:
            assert not todo.complete
            todo.finish(make_record(case, replicate=replicate))
        assert todo.groups(replicate) == []
    assert todo.complete


def test_progress_counts_records_and_its_estimate_follows_them(agenda, make_record):
    todo, cases = agenda(began=time.perf_counter() - 10.0)
    state = todo.progress(Activity(phase="measuring", case=cases[0], steps=3))
    assert (state.done, state.total, state.steps, state.case) == (0, 4, 3, cases[0].key)
    assert state.seconds_left == pytest.approx(4 * 6.5 - 10, abs=1)
    todo.finish(make_record(cases[0]))
    state = todo.progress(Activity(phase="preparing", case=cases[1]))
    assert (state.done, state.seconds_left) == (1, pytest.approx(30, abs=1))


def test_without_a_limit_the_budget_is_the_settings(agenda):
    assert agenda()[0].shared_settings() == SETTINGS


def test_under_a_limit_what_is_left_is_shared_and_never_less_than_a_few_steps(agenda, make_record):
    limited = structs.replace(SETTINGS, time_limit_s=14.0)
    todo, cases = agenda(limited, began=time.perf_counter())
    assert todo.shared_settings().budget_s == pytest.approx(14 / 4 - 1.5, abs=0.2)
    todo.finish(make_record(cases[0]))
    assert todo.shared_settings().budget_s == pytest.approx(14 / 3 - 1.5, abs=0.2)
    assert agenda(limited, began=time.perf_counter() - 20)[0].shared_settings().budget_s == 0.3
    compiling, _ = agenda(limited, began=time.perf_counter(), runtime="compile")
    assert compiling.shared_settings().budget_s == 0.3


def test_a_share_of_the_limit_is_a_moment(agenda):
    limited = structs.replace(SETTINGS, time_limit_s=10.0)
    assert share_of_limit(100.0, limited, 0.1) == 101.0
    assert share_of_limit(100.0, SETTINGS, 0.1) == float("inf")
    assert agenda(limited, began=time.perf_counter() - 11)[0].late()
    assert not agenda(limited, began=time.perf_counter())[0].late()


def test_a_model_is_counted_once_and_its_records_say_when_it_cannot_be(agenda, make_record):
    todo, cases = agenda()
    (model,) = todo.models_to_count()
    assert model == (cases[0].model, cases[0].image_size, cases[0].in_channels)
    todo.give_up_counting(model, "no such operator")
    assert todo.models_to_count() == []
    assert "no such operator" in todo.finish(make_record(cases[0])).notes[-1]
    counted, _ = agenda()
    counted.count(model)
    assert counted.models_to_count() == []
    record = make_record(cases[0])
    assert counted.finish(record) == record


@pytest.fixture
def machine(monkeypatch, make_run):
    """Let a plan be made for a machine with one accelerator, with no process asked; gives what torch's threads are."""
    environment = structs.replace(make_run().environment, torch_threads=3)
    full = {"auto": "cuda:0", "cuda": "cuda:0", "cuda:0": "cuda:0", "cpu": "cpu"}
    monkeypatch.setattr(ask, "environment", lambda _, devices: ([full[name] for name in sorted(devices)], environment))
    return environment


def planned(cases, device="auto"):
    return make_plan(None, requested(cases, None, {}), device)


@pytest.mark.parametrize("name", ["cuda", "auto", "cuda:0"])
def test_given_cases_carry_the_full_name_of_their_device(machine, make_case, name):
    cases = [make_case(device=name), make_case(device="cpu"), make_case(device="cuda:0")]
    assert [case.device for case in planned(cases).cases] == ["cuda:0", "cpu"]


def test_given_cases_without_threads_get_torchs(machine, make_case):
    cases = [make_case(threads=None), make_case(threads=1)]
    assert [case.threads for case in planned(cases).cases] == [3, 1]


def test_a_device_beside_given_cases_is_theirs_or_refused(machine, make_case):
    assert planned([make_case(device="cuda")], device="cuda:0").cases[0].device == "cuda:0"
    with pytest.raises(InputError, match="device 'cpu' is not that of"):
        planned([make_case(device="cpu"), make_case(device="cuda")], device="cpu")
