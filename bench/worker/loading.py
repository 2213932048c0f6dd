"""The verbs of the worker about loading data."""

from collections.abc import Callable

import torch

from bench.loading.sources import Source, open_source
from bench.loading.timing import time_batches, time_stages
from bench.measure.device import Device
from bench.process.loading import BatchesTimed, DataOpened, OpenData, StagesTimed, TimeBatches, TimeStages


class LoadingVerbs:
    """The state of a worker that loads data: the data set that `open_data` opens. It has a method for each verb."""

    _source: Source
    _threads: int
    _target: Device
    """The device that the batches are for."""
    _open_device: Callable[[str], Device]
    _clock: Callable[[], float]

    def open_data(self, request: OpenData) -> DataOpened:
        """Open a data set, and load its sample once."""
        self._threads = request.threads
        self._target = self._open_device(request.device)
        self._source, opened = open_source(request)
        return opened

    def time_stages(self, request: TimeStages) -> StagesTimed:
        """Time each stage in this process with a single thread, as in a worker of a `DataLoader`."""
        torch.set_num_threads(1)
        image_s = time_stages(self._source, self._source.order(), seconds=request.seconds, clock=self._settled)
        return StagesTimed(image_s=image_s)

    def time_batches(self, request: TimeBatches) -> BatchesTimed:
        """Load batches from a fresh start on; this process has the threads of a training."""
        torch.set_num_threads(self._threads)
        return time_batches(
            lambda: self._source.batches(request.path, request.workers),
            workers=request.workers,
            seconds=request.seconds,
            clock=self._settled,
        )

    def _settled(self) -> float:
        """Read the clock after the device has done all its work."""
        self._target.synchronize()
        return self._clock()
