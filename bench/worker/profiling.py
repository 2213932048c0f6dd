"""The verbs of the worker about profiles, peaks and memory."""

import functools
from collections.abc import Callable

from bench.measure.device import Device
from bench.memory_model.batches import BatchPredictor
from bench.memory_model.measure import measured_memory
from bench.peaks.measure import measure_device_peaks
from bench.probing.layers import probed_layers
from bench.process.profiling.messages import (
    DevicePeaksMeasured,
    LayersProbed,
    MeasureDevicePeaks,
    MeasureMemory,
    MemoryMeasured,
    MemoryPredicted,
    PredictMemory,
    ProbeLayers,
    Profiled,
    TakeProfile,
)
from bench.profiling.profiler import profiled_step
from bench.tasks.workload import Workload
from results.schema.case import Case


class ProfilingVerbs:
    """The state of a worker that explains its case. It has a method for each verb."""

    case: Case
    workload: Workload
    device: Device
    _open_device: Callable[[str], Device]
    _clock: Callable[[], float]

    def probe_layers(self, request: ProbeLayers) -> LayersProbed:
        """Time the layers of the prepared case in other settings; the case is of no use then."""
        return probed_layers(
            self.case,
            self.workload.module,
            self.workload.images,
            self.device,
            others=request.others,
            seconds=request.seconds,
            clock=self._clock,
        )

    def device_peaks(self, request: MeasureDevicePeaks) -> DevicePeaksMeasured:
        """Measure what a device can do."""
        device = self._open_device(request.device)
        return measure_device_peaks(device, request.precisions, request.threads, request.seconds, self._clock)

    def predict_memory(self, request: PredictMemory) -> MemoryPredicted:
        """Predict the memory of a case, which need not be this worker's."""
        return self._predictor.predicted(request.case)

    @functools.cached_property
    def _predictor(self) -> BatchPredictor:
        return BatchPredictor()

    def measure_memory(self, request: MeasureMemory) -> MemoryMeasured:  # noqa: ARG002 - it has no arguments
        """Measure the memory of a step of the prepared case."""
        return measured_memory(self.case, self.workload, self.device)

    def profile(self, request: TakeProfile) -> Profiled:
        """Time steps, and profile a step between them."""
        steps, trace = request.steps, request.trace
        return profiled_step(self.case, self.workload, self.device, steps=steps, trace=trace, clock=self._clock)
