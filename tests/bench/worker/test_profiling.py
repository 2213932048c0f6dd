"""The verbs of a real worker about profiles, peaks and memory, asked in a row as `profile` asks them."""

import pytest

from bench.process.messages import Prepare
from bench.process.profiling.messages import (
    MeasureDevicePeaks,
    MeasureMemory,
    PredictMemory,
    ProbeLayers,
    TakeProfile,
)
from bench.schedule.profiling.explain import other_settings
from bench.worker.serve import WorkerServer


@pytest.fixture(scope="module")
def case():
    from tests.conftest import _case  # noqa: PLC0415 - the function behind the fixture

    return _case(model="cifar_resnet20", task="training", image_size=16, batch_size=2, threads=1)


@pytest.fixture
def worker(case, tmp_path):
    worker = WorkerServer()
    worker.prepare(Prepare(case=case, cache=str(tmp_path), token=case.key))
    return worker


def test_a_prepared_case_is_explained(worker, case, tmp_path):
    profiled = worker.profile(TakeProfile(steps=2, trace=str(tmp_path / "trace.json.gz")))
    assert profiled.trace_bytes == (tmp_path / "trace.json.gz").stat().st_size
    measured = worker.measure_memory(MeasureMemory())
    predicted = worker.predict_memory(PredictMemory(case=case))
    assert predicted.parts.total == pytest.approx(measured.peak_bytes, rel=0.05)
    layouts = tuple(other for other in other_settings(case) if other.layout == "nhwc")
    assert worker.probe_layers(ProbeLayers(others=layouts, seconds=1.0)).probes


def test_a_worker_without_a_case_measures_what_its_device_can_do(monkeypatch):
    monkeypatch.setattr("bench.peaks.compute.MATRICES", (16,))
    monkeypatch.setattr("bench.peaks.compute.CONVOLUTIONS", ((1, 4, 8),))
    monkeypatch.setattr("bench.peaks.streams.MOST_BYTES", 1 << 16)
    request = MeasureDevicePeaks(device="cpu", threads=1, precisions=("fp32",), seconds=0.1)
    assert WorkerServer().device_peaks(request).compute
