import contextlib

import pytest

from bench.process.forkserver import WorkerDied
from bench.schedule.profiling.explain import ProfileOptions, explain, other_settings
from tests.bench.fakes import FakeServer

REFUSAL = {"failed": "unsupported", "cause": "no such kernel"}


@pytest.fixture
def case(make_case):
    return make_case(model="resnet18", task="training", batch_size=2)


def explained(case, folder, script=lambda verb, case, server: None, **options):
    server = FakeServer(script)
    answer = explain(server, case, folder, ProfileOptions(**options))
    assert not server.alive
    return answer, server


def fails(verb, change):
    return lambda asked, *_: change if asked == verb else None


def test_a_case_has_profile_memory_and_trace(case, tmp_path):
    answer, server = explained(case, tmp_path)
    profile, memory = answer.profile, answer.memory
    assert (profile.status, profile.case, profile.label) == ("ok", case, case.key)
    assert sum(row.self_s for row in profile.operators) == pytest.approx(profile.profiled_s)
    assert {(probe.axis, probe.value) for probe in profile.probes} == {
        ("layout", "nhwc"),
        ("batch_size", "4"),
        ("precision", "amp-bf16"),
    }
    assert (memory.case, memory.nulls) == (case, {})
    assert memory.measured_bytes > memory.predicted.total
    assert answer.trace.read_bytes() == b"a trace"
    assert profile.trace_bytes == len(b"a trace")
    assert len(server.workers) == 2  # that of the case, and that of the prediction


def test_without_traces_and_probes_the_reason_is_kept(case, tmp_path):
    answer, _ = explained(case, tmp_path, traces=False, probe_s=0)
    assert (answer.trace, answer.profile.trace_bytes, answer.profile.probes) == (None, None, ())
    assert answer.profile.nulls["probes"] == "not asked for"


@pytest.mark.parametrize("verb", ["prepare", "profile"])
def test_a_case_that_fails_is_a_profile_with_its_cause(case, tmp_path, verb):
    answer, _ = explained(case, tmp_path, fails(verb, REFUSAL))
    profile = answer.profile
    assert (profile.status, profile.cause, profile.operators) == ("unsupported", "no such kernel", ())
    assert answer.memory is answer.trace is None


def test_what_fails_after_the_profile_is_null_with_its_reason(case, tmp_path):
    for verb, part, name in [
        ("measure_memory", "memory", "measured_bytes"),
        ("predict_memory", "memory", "predicted"),
        ("probe_layers", "profile", "probes"),
    ]:
        answer, _ = explained(case, tmp_path, fails(verb, WorkerDied("killed by SIGKILL")))
        assert "killed by SIGKILL" in getattr(answer, part).nulls[name]
        assert answer.profile.status == "ok"


def test_a_compiled_case_has_no_layers_to_try(make_case):
    assert other_settings(make_case(runtime="compile")) == ()


def test_other_settings_differ_in_one_axis(make_case):
    cpu, card = make_case(layout="nhwc"), make_case(device="cuda:0")
    assert {(other.layout, other.precision, other.batch_size) for other in other_settings(cpu)} == {
        ("nchw", "fp32", 8),
        ("nhwc", "fp32", 16),
        ("nhwc", "amp-bf16", 8),
    }
    assert {other.precision for other in other_settings(card)} == {"fp32", "amp-bf16", "tf32", "amp-fp16"}


def test_an_interrupt_ends_the_worker(case, tmp_path):
    server = FakeServer(fails("profile", None))

    def interrupt(verb, *_):
        if verb == "profile":
            raise KeyboardInterrupt

    server.script = interrupt
    with contextlib.suppress(KeyboardInterrupt):
        explain(server, case, tmp_path, ProfileOptions())
        pytest.fail("it was not interrupted")
    assert not server.alive
