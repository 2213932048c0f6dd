import pytest
from msgspec import structs

from bench.process import ask
from bench.schedule.plan import WORKER_COSTS, default_threads, estimate_s, make_plan, queues, share_of_limit
from bench.suites.request import requested
from bench.suites.suite import load_suite, sample
from results.errors import InputError
from results.schema.lines.run import Accelerator, Settings

SETTINGS = Settings(replicates=2, target=0.01, budget_s=5.0, timeout_s=60, time_limit_s=None)


def test_a_compiled_case_takes_longer_and_the_time_limit_is_an_upper_bound(make_case):
    eager, compiled = make_case(), make_case(runtime="compile")
    assert estimate_s([eager], SETTINGS) == pytest.approx(2 * 5.5)
    assert estimate_s([compiled], SETTINGS) > estimate_s([eager], SETTINGS)
    assert estimate_s([compiled], structs.replace(SETTINGS, time_limit_s=3.0)) == 3.0


def test_only_the_first_compilation_is_estimated_as_cold(make_case):
    seconds = [
        estimate_s([make_case(runtime="compile")], structs.replace(SETTINGS, replicates=count)) for count in (1, 2, 3)
    ]
    assert seconds[2] - seconds[1] == pytest.approx(seconds[1] - seconds[0])
    assert seconds[1] - seconds[0] < seconds[0]


def test_an_estimate_is_for_the_kind_of_device(make_case):
    once = structs.replace(SETTINGS, replicates=1)
    for device, kind in (("cpu", "cpu"), ("cuda:1", "accelerator"), ("xpu:0", "accelerator")):
        costs = WORKER_COSTS[kind]
        eager_s = costs.worker_s + once.budget_s
        for runtime, more_s in (
            ("eager", 0.0),
            ("compile", costs.compile_s),
            ("export", costs.light_s),
            ("compile:reduce-overhead", costs.compile_s),
            ("compile:max-autotune", costs.autotune_s),
            ("compile:max-autotune-no-cudagraphs", costs.autotune_s),
        ):
            case = make_case(device=device, runtime=runtime)
            assert estimate_s([case], once) == pytest.approx(eager_s + more_s)
    assert WORKER_COSTS["accelerator"].worker_s > WORKER_COSTS["cpu"].worker_s


def test_a_share_of_the_limit_is_a_moment():
    limited = structs.replace(SETTINGS, time_limit_s=10.0)
    assert share_of_limit(100.0, limited, 0.1) == 101.0
    assert share_of_limit(100.0, SETTINGS, 0.1) == float("inf")


@pytest.fixture
def machine(monkeypatch, make_run):
    """Let a plan be made for a machine with two accelerators, with no process asked; gives what torch's threads are."""
    environment = structs.replace(make_run().environment, torch_threads=3, usable_cores=4)
    full = {"auto": "cuda:0", "cuda": "cuda:0", "cuda:0": "cuda:0", "cuda:1": "cuda:1", "cpu": "cpu"}
    cards = [Accelerator(device=f"cuda:{index}", name="NVIDIA H100", memory_bytes=None) for index in range(2)]
    environment = structs.replace(environment, accelerators=tuple(cards))

    def describe(_, devices):
        for name in devices:
            if name not in full:
                raise InputError(f"no device {name!r} on this machine (devices: cpu, cuda:0, cuda:1)")
        return [full[name] for name in sorted(devices)], environment

    monkeypatch.setattr(ask, "environment", describe)
    return environment


def planned(cases, device="auto"):
    return make_plan(None, requested(cases, None, {}), device)


@pytest.mark.parametrize(("suite", "limit_s"), [("default", 15 * 60), ("full", 9 * 3600)])
def test_a_suite_is_planned_to_end_in_time_on_an_accelerator(machine, suite, limit_s):
    plan = make_plan(None, load_suite(suite), "cuda")
    assert {case.device for case in plan.cases} == {"cuda:0"}
    assert plan.settings.time_limit_s == limit_s
    assert estimate_s(plan.cases, structs.replace(plan.settings, time_limit_s=None)) <= limit_s


@pytest.mark.parametrize("names", ["cuda:0,cuda:1", "cuda:all", "cuda, cuda:1", "cuda:0,cuda:all", "auto,cuda:1"])
def test_every_card_gets_the_same_cases_and_the_time_limit(machine, names):
    suite = load_suite("quick")
    alone, plan = (make_plan(None, suite, device) for device in ("cuda:0", names))
    assert plan.cases[::2] == alone.cases
    assert [structs.replace(case, device="cuda:0") for case in plan.cases[1::2]] == list(alone.cases)
    assert {case.device for case in plan.cases[1::2]} == {"cuda:1"}
    assert plan.settings == alone.settings
    assert plan.estimate_s == pytest.approx(2 * alone.estimate_s)
    limited = sample(suite, {"time_limit_s": 70.0})
    assert make_plan(None, limited, names).settings.time_limit_s == 140.0


def test_cards_that_are_measured_at_once_take_as_long_as_a_card(machine):
    suite = sample(load_suite("quick"), {"time_limit_s": 70.0})
    alone, plan = (
        make_plan(None, sample(suite, {"cards": "at-once"}), device) for device in ("cuda:0", "cuda:0,cuda:1")
    )
    assert plan.settings.time_limit_s == alone.settings.time_limit_s == 70.0
    free = structs.replace(plan.settings, time_limit_s=None)
    assert estimate_s(plan.cases, free) == pytest.approx(estimate_s(alone.cases, free))
    warm = [estimate_s(cases, structs.replace(free, sustained_s=30.0)) for cases in (plan.cases, alone.cases)]
    assert warm == pytest.approx([estimate_s(alone.cases, free) + 30 * len(alone.cases)] * 2)
    by_card = queues(plan.cases, free)
    assert [{case.device for case in own} for own in by_card] == [{"cuda:0"}, {"cuda:1"}]
    assert by_card[0] == list(alone.cases)
    assert queues(plan.cases, structs.replace(free, cards="one-by-one")) == [list(plan.cases)]


def test_the_cpu_is_not_measured_while_cards_are(machine, make_case):
    cases = [make_case(device="cuda:0"), make_case(device="cpu")]
    with pytest.raises(InputError, match="devices cpu, cuda:0 at once: work of the CPU disturbs the cards"):
        make_plan(None, requested(cases, None, {"cards": "at-once"}), "auto")
    for case in cases:
        plan = make_plan(None, requested([case], None, {"cards": "at-once"}), "auto")
        assert [planned_case.device for planned_case in plan.cases] == [case.device]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ("cuda:0,cuda:2", "no device 'cuda:2' on this machine (devices: cpu, cuda:0, cuda:1)"),
        ("xpu:all", "no device 'xpu' on this machine (devices: cpu, cuda:0, cuda:1)"),
        ("cuda:0,", "device 'cuda:0,': a name is empty; give names such as cpu, cuda:0 or cuda:all"),
        (":all", "device ':all': a name is empty"),
        ("cpu,cuda:1", "devices cpu, cuda:1: the CPU gets other cases and settings; measure it in another run"),
    ],
)
def test_devices_that_are_not_there_or_do_not_go_together_are_one_line(machine, names, reason):
    with pytest.raises(InputError) as refusal:
        make_plan(None, load_suite("quick"), names)
    assert str(refusal.value).startswith(reason)


@pytest.mark.parametrize("name", ["cpu", "cpu:all", "cpu,cpu"])
def test_the_cpu_is_a_single_device(machine, name):
    assert make_plan(None, load_suite("quick"), name) == make_plan(None, load_suite("quick"), "cpu")


@pytest.mark.parametrize("name", ["cuda", "auto", "cuda:0"])
def test_given_cases_carry_the_full_name_of_their_device(machine, make_case, name):
    cases = [make_case(device=name), make_case(device="cpu"), make_case(device="cuda:0")]
    assert [case.device for case in planned(cases).cases] == ["cuda:0", "cpu"]


def test_given_cases_without_threads_get_torchs_threads(machine, make_case):
    cases = [make_case(threads=None), make_case(threads=1)]
    assert [case.threads for case in planned(cases).cases] == [3, 1]


def test_threads_are_no_more_than_the_cores_that_a_container_grants(make_run):
    host = structs.replace(make_run().environment, torch_threads=192, usable_cores=8)
    assert default_threads(host) == 8
    assert default_threads(structs.replace(host, torch_threads=4)) == 4


def test_a_device_beside_given_cases_is_theirs_or_refused(machine, make_case):
    assert planned([make_case(device="cuda")], device="cuda:0").cases[0].device == "cuda:0"
    with pytest.raises(InputError, match="device 'cpu' is not that of"):
        planned([make_case(device="cpu"), make_case(device="cuda")], device="cpu")
