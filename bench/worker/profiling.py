"""The verbs of the worker about profiles, peaks and memory."""

from collections.abc import Callable

from bench.measure.device import Device
from bench.tasks.workload import Workload
from results.schema.case import Case


class ProfilingVerbs:
    """The state of a worker that explains its case. It has a method for each verb."""

    case: Case
    workload: Workload
    device: Device
    _open_device: Callable[[str], Device]
    _clock: Callable[[], float]
