import time

import msgspec
import pytest

from bench.process import ask
from bench.process.forkserver import ForkServer, ServerLost, WorkerDied
from bench.process.messages import TakeTurn
from bench.process.protocol import Failed, Refused
from results.errors import InputError
from results.schema.lines.static import Static
from tests.bench.fakes import FakeChannel, FakeServer, FakeWorker
from tests.conftest import _run, _static

REFUSAL = {"failed": "error", "cause": "no device 'cuda:9'"}


class Worker(FakeWorker):
    """Answers about the machine and the model of the tests' own records."""

    def __init__(self):
        super().__init__(
            {"environment": msgspec.to_builtins(_run().environment), "static": msgspec.to_builtins(_static())}
        )


def answering(change):
    """Return a server whose workers change their answers so."""
    return FakeServer(lambda verb, case, server: change, Worker)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (REFUSAL, "no device 'cuda:9'"),
        (WorkerDied("it exited"), "this machine cannot be measured"),
        (ServerLost("gone"), "this machine cannot be measured"),
        ({"devices": 1}, "this machine cannot be measured"),
        ({"protocol": None}, "another version of resnet-bench"),
        ({"protocol": 0}, "another version of resnet-bench"),
    ],
)
def test_a_machine_that_cannot_be_described_is_bad_input(change, error):
    server = answering(change)
    with pytest.raises(InputError, match=error):
        ask.environment(server, {"cpu"})
    assert server.workers
    assert not server.alive


def test_each_device_precision_and_number_of_threads_has_one_peak(make_case):
    server = answering({"flops_per_s": 5e9})
    cases = [make_case(), make_case(layout="nhwc"), make_case(threads=1), make_case(precision="bf16")]
    peaks = ask.peaks(server, cases)
    assert [(peak.precision, peak.threads, peak.flops_per_s) for peak in peaks] == [
        ("fp32", 2, 5e9),
        ("fp32", 1, 5e9),
        ("bf16", 2, 5e9),
    ]


def test_no_peak_is_measured_after_the_deadline(make_case):
    server = answering({})
    assert ask.peaks(server, [make_case()], deadline=time.perf_counter() - 1) == ()
    assert not server.workers


@pytest.mark.parametrize("change", [REFUSAL, {"flops_per_s": 0}, WorkerDied("killed")])
def test_a_peak_that_cannot_be_had_is_left_out(change, make_case):
    assert ask.peaks(answering(change), [make_case()]) == ()


@pytest.mark.parametrize(
    ("change", "why"), [({"failed": "error", "cause": "too large"}, "too large"), (WorkerDied("killed"), "killed")]
)
def test_a_model_that_cannot_be_counted_says_why(change, why):
    assert ask.static(answering(change), "resnet50", 224, timeout_s=1) == why


def test_no_model_is_counted_after_the_deadline():
    server = answering({})
    assert ask.static(server, "resnet50", 224, timeout_s=1, deadline=time.perf_counter() - 1) is None
    assert not server.workers


def test_a_count_that_the_deadline_cuts_short_says_nothing_about_the_model():
    server = FakeServer(lambda *_: time.sleep(0.02) or WorkerDied("killed"), Worker)
    assert ask.static(server, "resnet50", 224, timeout_s=1, deadline=time.perf_counter() + 0.01) is None


@pytest.mark.parametrize(
    ("change", "token", "failure", "words"),
    [
        ({}, None, None, ""),
        ({}, "mine", None, ""),
        ({}, "another's", Failed, "for another case"),
        ({"wall_s": "0.1"}, "mine", Failed, "wall_s"),
        ({"failed": "unsupported", "cause": "no"}, "mine", Refused, "no"),
        ({"failed": "tired", "cause": "no"}, "mine", Failed, "failed"),
    ],
)
def test_a_request_has_the_answer_of_its_verb_or_fails(change, token, failure, words, make_case):
    worker = FakeWorker()
    worker.case, worker.token = make_case(), "mine"
    channel = FakeChannel(worker, lambda verb, worker: change)
    if failure is None:
        assert len(ask.ask(channel, TakeTurn(steps=3, drop=1), timeout_s=1, token=token).step_s) == 3
        return
    with pytest.raises(failure, match=words) as caught:
        ask.ask(channel, TakeTurn(steps=3, drop=1), timeout_s=1, token=token)
    assert type(caught.value) is failure


def test_a_real_worker_answers():
    with ForkServer() as server:
        names, environment = ask.environment(server, {"cpu"})
        assert (names, environment.torch != "") == (["cpu"], True)
        static = ask.static(server, "cifar_resnet20", 32, timeout_s=60)
        assert isinstance(static, Static)
        assert static.parameters == 269_722
