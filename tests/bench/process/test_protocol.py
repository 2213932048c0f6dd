import dataclasses
import json

import pytest

from bench.process.messages import Finish, Prepare, TakeTurn
from bench.process.protocol import PROTOCOL, VERBS, Failed, answer_of, message_of, reply_to
from bench.worker.serve import WorkerServer
from tests.bench.fakes import FakeWorker


def test_the_worker_and_the_fake_have_a_method_for_each_verb():
    for kind in (WorkerServer, FakeWorker):
        assert [verb for verb in VERBS if not callable(getattr(kind, verb, None))] == []


def test_a_fake_that_lacks_a_verb_is_refused(monkeypatch):
    monkeypatch.setitem(VERBS, "dance", VERBS["turn"])
    with pytest.raises(TypeError, match="dance"):
        type("Old", (FakeWorker,), {})


def test_requests_and_answers_survive_the_wire(make_case):
    worker = FakeWorker()

    def wire(request):
        message = json.loads(json.dumps(message_of(request)))
        return answer_of(request, json.loads(json.dumps(reply_to(message, worker))), worker.token)

    case = make_case(task="training")
    assert wire(Prepare(case=case, cache="here", token="mine")).phases == ("forward", "backward", "optimizer")  # noqa: S106
    assert worker.case == case
    turn = wire(TakeTurn(steps=4, drop=2))
    assert [len(phases) for phases in turn.phase_s] == [3] * 4
    assert turn.step_s[0] == pytest.approx(sum(turn.phase_s[0]))
    assert wire(Finish()).ran.layout == case.layout


@pytest.mark.parametrize(
    "message",
    [{}, {"do": "failure"}, {"do": "dance"}, {"do": "turn"}, {"do": "turn", "steps": "1", "drop": 0}],
    ids=str,
)
def test_a_message_that_is_no_request_is_answered_with_a_failure(message):
    reply = reply_to(message, FakeWorker())
    assert reply["failed"] == "error"
    assert reply["protocol"] == PROTOCOL


def test_a_reply_that_makes_no_sense_fails_in_one_line():
    reply = {"token": "mine", "phase_s": [[-1.0]], "wall_s": 0.1}
    with pytest.raises(Failed, match="phase_s") as caught:
        answer_of(TakeTurn(steps=1, drop=0), reply, "mine")
    assert "\n" not in caught.value.cause


@pytest.mark.parametrize(
    ("cause", "busy"),
    [
        ("AcceleratorError: CUDA error: CUDA-capable device(s) is/are busy or unavailable", True),
        ("RuntimeError: cudaErrorDevicesUnavailable", True),
        ("RuntimeError: CUDA_ERROR_DEVICE_UNAVAILABLE", True),
        ("OutOfMemoryError: CUDA out of memory", False),
    ],
)
def test_a_device_that_admits_no_further_process_is_known_by_its_words(cause, busy):
    assert Failed("error", cause).device_busy == busy


def test_each_verb_has_a_request_and_an_answer_of_its_own():
    classes = [kind for pair in VERBS.values() for kind in pair]
    assert len(set(classes)) == len(classes)
    assert all(dataclasses.is_dataclass(kind) for kind in classes)
