import pytest

from bench.machine import memory
from bench.process.forkserver import WorkerDied
from bench.process.messages import Footprint
from bench.process.profiling.messages import MemoryPredicted
from bench.schedule.fitting.fit import PROBED_BATCH, Unfitted, largest_batch
from results.schema.lines.memory import MemoryParts
from tests.bench.fakes import FakeServer, FakeWorker

FIXED, IMAGE, PROCESS = 100 << 20, 10 << 20, 50 << 20
"""Bytes of the network, of an image, and of a process without tensors."""


class Worker(FakeWorker):
    """Takes what it was predicted to take, and its process."""

    def predict_memory(self, request):
        taken = FIXED + IMAGE * request.case.batch_size
        parts = MemoryParts(**dict.fromkeys(MemoryParts.__struct_fields__, 0) | {"temporary": taken})
        return MemoryPredicted(parts=parts, phase="forward", module=None, points=())

    def footprint(self, request):
        taken = FIXED + IMAGE * self.case.batch_size + PROCESS
        return Footprint(host_bytes=taken, device_bytes=None, device_free_bytes=None)


class Card(Worker):
    """Has its tensors in the memory of a card."""

    def footprint(self, request):
        taken = FIXED + IMAGE * self.case.batch_size
        return Footprint(host_bytes=1 << 40, device_bytes=taken, device_free_bytes=1 << 40)


def limit_for(batch):
    return FIXED + IMAGE * batch + PROCESS


@pytest.fixture
def fitted(make_case, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1 << 40)

    def fitted(limit, script=lambda verb, case, server: None, **options):
        server = FakeServer(script, Worker)
        try:
            return largest_batch(server, make_case(), limit, **{"verify": False, **options})
        finally:
            assert not server.alive

    return fitted


def test_the_prediction_is_exact_where_memory_is_as_predicted(fitted):
    fit = fitted(limit_for(37) + 5)
    assert (fit.predicted_batch, fit.verified_batch, fit.case.batch_size) == (37, None, 37)
    assert fit.process_bytes == PROCESS
    assert [trial.batch_size for trial in fit.trials] == [1, PROBED_BATCH]
    assert fit.growth == 1


def test_a_process_that_grows_faster_than_its_tensors_is_predicted_so(fitted):
    def script(verb, case, server):
        taken = FIXED + PROCESS + IMAGE * (1 + 2 * (case.batch_size - 1)) if verb == "footprint" else 0
        return {"host_bytes": taken} if taken else None

    fit = fitted(limit_for(37), script, verify=True)
    assert (fit.growth, fit.predicted_batch, fit.verified_batch) == (2, 19, 19)
    assert fit.expected_bytes(FIXED + 19 * IMAGE) == limit_for(37)


def test_verified_batches_were_measured_and_the_next_did_not_fit(fitted):
    fit = fitted(limit_for(37), verify=True)
    outcomes = {trial.batch_size: trial.outcome for trial in fit.trials}
    assert (fit.verified_batch, outcomes[37], outcomes[38]) == (37, "fits", "too-large")


@pytest.mark.parametrize("really", [20, 30, 90])
def test_verification_corrects_a_wrong_prediction(fitted, really):
    def script(verb, case, server):
        if verb != "footprint" or case.batch_size in {1, PROBED_BATCH}:
            return None
        return {"host_bytes": 1 << 50 if case.batch_size > really else 1 << 20}

    fit = fitted(limit_for(37), script, verify=True)
    assert (fit.predicted_batch, fit.verified_batch) == (37, really)


def test_an_out_of_memory_is_information(fitted):
    def script(verb, case, server):
        refuse = verb == "prepare" and server.workers[-1].worker.case.batch_size > 10
        return {"failed": "out-of-memory", "cause": "no room"} if refuse else None

    fit = fitted(limit_for(37), script, verify=True)
    assert fit.verified_batch == 10
    assert {trial.outcome for trial in fit.trials if trial.batch_size > 10} == {"out-of-memory"}


def test_the_host_is_never_filled(fitted, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2 * limit_for(10))
    fit = fitted(limit_for(1000), verify=True)
    large = [trial for trial in fit.trials if trial.outcome == "too-large"]
    assert large
    assert all("not run: it would take" in trial.cause for trial in large)
    assert fit.verified_batch < 40


def test_nothing_fits_in_too_little(fitted):
    fit = fitted(limit_for(1) - 1, verify=True)
    assert (fit.predicted_batch, fit.verified_batch, fit.case.batch_size) == (None, None, 1)
    assert [trial.outcome for trial in fit.trials] == ["too-large"]


def test_without_a_prediction_the_reason_is_stored_and_measuring_helps(fitted):
    refuse = {"failed": "error", "cause": "a compiler decides"}
    fit = fitted(limit_for(37), lambda verb, *_: refuse if verb == "predict_memory" else None, verify=True)
    assert fit.predicted_batch is None
    assert "a compiler decides" in fit.nulls["predicted_batch"]
    assert fit.verified_batch == 37


def test_after_the_time_limit_no_larger_batch_is_tried(fitted):
    fit = fitted(limit_for(37), verify=True, time_limit_s=0.0)
    assert [trial.batch_size for trial in fit.trials] == [1, PROBED_BATCH]
    assert fit.verified_batch == PROBED_BATCH
    assert "a larger batch may fit" in fit.notes[0]


@pytest.mark.parametrize("change", [WorkerDied("killed by SIGSEGV"), {"failed": "unsupported", "cause": "no kernel"}])
def test_a_case_that_cannot_run_at_all_is_no_question_of_memory(fitted, change):
    with pytest.raises(Unfitted, match=r"SIGSEGV|no kernel"):
        fitted(limit_for(37), lambda verb, *_: change if verb == "prepare" else None)


def test_a_device_s_own_memory_counts_on_an_accelerator(make_case):
    fit = largest_batch(FakeServer(worker=Card), make_case(device="cuda:0"), FIXED + 20 * IMAGE, verify=True)
    assert (fit.predicted_batch, fit.verified_batch, fit.process_bytes, fit.nulls) == (20, 20, 0, {})
