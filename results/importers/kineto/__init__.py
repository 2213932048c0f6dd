"""Traces of torch.profiler: chrome JSON, plain or gzip, of accelerators and of CPUs.

A trace gives a run without cases, whose profiles hold a row for each kernel, or operator of the CPU.
"""

from typing import Final

from results.importers.kineto.profiles import trace_profiles
from results.importers.kineto.trace import Trace, read_trace
from results.importers.reading import Content, Imported, Options, Tell, unknown_environment
from results.schema.lines.run import RunHeader

FORMAT: Final = "kineto"


def read(content: Content, options: Options, tell: Tell) -> list[Imported]:
    """Return the run of a trace: a profile for each device, or for each process where no device was traced.

    Raises:
        InputError: The file is no such trace, or holds nothing that lasts.
    """
    trace = read_trace(content)
    profiles = trace_profiles(trace, content)
    run = RunHeader(
        id=content.run_id(),
        started=trace.started,
        suite=FORMAT,
        settings=None,
        environment=unknown_environment(torch=options.torch, accelerators=_accelerators(trace)),
        plan=(),
        source=content.source(FORMAT),
    )
    if trace.incomplete:
        tell(f"{content.name}: left out without a time or a duration: {trace.incomplete:,} events")
    return [Imported(run=run, records=(), positions=(), bodies=profiles)]


def _accelerators(trace: Trace) -> dict[str, str | None]:
    """Return the names of the devices that worked; the trace also names those that did not."""
    used = sorted({span.device for span in trace.spans if span.device is not None})
    return {device: trace.device_names.get(device) for device in used}
