import time

import pytest

from bench.measure.device import open_device
from bench.peaks import measure
from bench.peaks.measure import LEAST_REPETITIONS, PEAK_REPETITIONS, measure_device_peaks


@pytest.fixture
def small(monkeypatch):
    """Let products and working sets be tiny."""
    monkeypatch.setattr("bench.peaks.compute.MATRICES", (16, 32))
    monkeypatch.setattr("bench.peaks.compute.CONVOLUTIONS", ((1, 4, 8),))
    monkeypatch.setattr("bench.peaks.streams.MOST_BYTES", 1 << 17)
    monkeypatch.setattr(measure, "PEAK_TURN_S", 1e-4)


def measured(seconds=40.0, precisions=("fp32",), clock=time.perf_counter):
    return measure_device_peaks(open_device("cpu"), precisions, 1, seconds, clock)


@pytest.mark.usefixtures("small")
def test_every_figure_has_a_value_in_each_repetition():
    answer = measured()
    assert {(peak.operator, peak.precision) for peak in answer.compute} == {("matmul", "fp32"), ("convolution", "fp32")}
    assert [(each.operation, each.working_set_bytes) for each in answer.bandwidths] == [
        (operation, size) for size in (1 << 15, 1 << 16, 1 << 17) for operation in ("copy", "triad")
    ]
    figures = [peak.flops_per_s for peak in answer.compute] + [each.bytes_per_s for each in answer.bandwidths]
    assert {len(values) for values in (*figures, answer.dispatch_s)} == {PEAK_REPETITIONS}
    assert min(min(values) for values in figures) > 0
    assert (answer.device_name, answer.launch_s, answer.nulls) == (None, (), {})


@pytest.mark.usefixtures("small")
def test_where_time_is_short_there_are_fewer_sizes_and_repetitions():
    answer = measured(seconds=1e-6)
    assert {each.working_set_bytes for each in answer.bandwidths} == {1 << 15, 1 << 17}
    assert len(answer.dispatch_s) == LEAST_REPETITIONS


@pytest.mark.usefixtures("small")
def test_after_a_slow_shape_no_larger_shape_is_tried(monkeypatch):
    monkeypatch.setattr(measure, "SLOW_S", 0.0)
    sizes = {peak.operator: peak.size for peak in measured().compute}
    assert sizes["matmul"] == "16x16"


@pytest.mark.usefixtures("small")
def test_a_precision_that_torch_cannot_multiply_is_null_with_its_reason(monkeypatch):
    def refuse(device, precision):
        if precision == "bf16":
            raise RuntimeError("not implemented for BFloat16")
        return iter(())

    monkeypatch.setattr(measure, "peak_products", refuse)
    answer = measured(precisions=("fp32", "bf16"))
    assert answer.nulls == {"bf16": "not measured: not implemented for BFloat16"}


@pytest.mark.usefixtures("small")
def test_a_rate_is_the_work_of_a_turn_over_its_seconds(monkeypatch):
    class Ticking:
        now = 0.0

        def __call__(self):
            self.now += 0.5
            return self.now

    ticking = Ticking()
    device = open_device("cpu")
    monkeypatch.setattr(device, "mark", ticking, raising=False)
    figures = measure._Figures(device, ticking, turn_s=0.05, short=True)
    figure = figures.add(lambda mark: None, 10.0, steps=4)
    figures.repeat()
    assert figure.rates == [pytest.approx(10.0 / 0.5)]
