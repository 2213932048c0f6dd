import json
import time

import pytest

from bench.process import ask
from bench.process.forkserver import ForkServer, ServerLost, WorkerDied
from results.errors import InputError
from results.schema.static import Static


class _Worker:
    def __init__(self, answers, asked):
        self._answers, self._asked, self.closed = answers, asked, False

    def request(self, message, *, timeout_s):
        assert timeout_s > 0
        self._asked.append(message)
        answer = self._answers[message["do"]]
        if isinstance(answer, Exception):
            raise answer
        return json.loads(json.dumps(answer))

    def close(self):
        self.closed = True


class _Server:
    def __init__(self, **answers):
        self.answers, self.asked, self.workers = answers, [], []

    def spawn(self):
        self.workers.append(_Worker(self.answers, self.asked))
        return self.workers[-1]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"failed": "error", "cause": "no device 'cuda:9'"}, "no device 'cuda:9'"),
        (WorkerDied("it exited"), "this machine cannot be measured"),
        (ServerLost("gone"), "this machine cannot be measured"),
        ({"devices": ["cpu"], "environment": {}}, "another version of resnet-bench"),
        ({"protocol": 0, "devices": ["cpu"], "environment": {}}, "another version of resnet-bench"),
    ],
)
def test_a_machine_that_cannot_be_asked_is_bad_input(answer, error):
    server = _Server(describe=answer)
    with pytest.raises(InputError, match=error):
        ask.environment(server, {"cpu"})
    assert all(worker.closed for worker in server.workers)


def test_each_device_precision_and_number_of_threads_has_one_peak(make_case):
    server = _Server(peak={"flops_per_s": 5e9})
    cases = [make_case(), make_case(layout="nhwc"), make_case(threads=1), make_case(precision="bf16")]
    found = ask.peaks(server, cases)
    assert [(peak.precision, peak.threads, peak.flops_per_s) for peak in found] == [
        ("fp32", 2, 5e9),
        ("fp32", 1, 5e9),
        ("bf16", 2, 5e9),
    ]


def test_no_peak_is_measured_after_the_deadline(make_case):
    server = _Server(peak={"flops_per_s": 5e9})
    assert ask.peaks(server, [make_case()], deadline=time.perf_counter() - 1) == ()
    assert not server.workers


@pytest.mark.parametrize("answer", [{"failed": "error", "cause": "not implemented"}, WorkerDied("killed")])
def test_a_peak_that_cannot_be_had_is_left_out(answer, make_case):
    assert ask.peaks(_Server(peak=answer), [make_case()]) == ()


@pytest.mark.parametrize(
    ("answer", "why"), [({"failed": "error", "cause": "too large"}, "too large"), (WorkerDied("killed"), "killed")]
)
def test_a_model_that_cannot_be_counted_says_why(answer, why):
    assert ask.static(_Server(static=answer), "resnet50", 224, timeout_s=1) == why


def test_a_real_worker_answers():
    with ForkServer() as server:
        names, environment = ask.environment(server, {"cpu"})
        assert (names, environment.torch != "") == (["cpu"], True)
        static = ask.static(server, "cifar_resnet20", 32, timeout_s=60)
        assert isinstance(static, Static)
        assert static.parameters == 269_722
