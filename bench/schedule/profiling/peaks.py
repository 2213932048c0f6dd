"""What devices can do, in a run file of its own or for another: `run_peaks`, `device_peaks`."""

import datetime
import pathlib
import time
from collections.abc import Sequence
from typing import Final

from bench.machine.clock import now
from bench.process import ask
from bench.process.forkserver import ForkServer, WorkerDied
from bench.process.profiling.messages import MeasureDevicePeaks
from bench.process.protocol import Failed
from bench.schedule.plan import default_threads
from bench.schedule.progress import Progress, Show, ignore
from results.errors import InputError
from results.schema.axes import check_choice
from results.schema.data_sheets import sheet_of
from results.schema.lines.peaks import Peaks
from results.schema.lines.run import RunHeader
from results.storage.reader import RunFile, load
from results.storage.writer import Writer, new_run_id

PEAKS_SUITE: Final = "peaks"
"""Name of the suite in the header of the run file."""
PEAKS_PATIENCE_S: Final = 600.0
"""The most seconds of the answer, besides those that are asked for."""
NO_SHEET: Final = "no figure of the manufacturer with a source is known for this device"


def run_peaks(
    *,
    device: str,
    threads: int | None,
    precisions: Sequence[str],
    seconds: float,
    out: str | pathlib.Path,
    show: Show = ignore,
) -> RunFile:
    """Measure what a device can do into a new run file under `out`, and return the file.

    Args:
        device: ``auto``, ``cpu``, ``cuda:0``…
        threads: threads of an operator on the CPU; None for those that a case has.
        precisions: precisions of the products; ``fp32`` is always among them.
        seconds: for everything, roughly.
        out: folder of run files.
        show: takes the progress.

    Raises:
        InputError: the device or a precision is not there, or its worker died; nothing is written.
    """
    for precision in precisions:
        check_choice("precision", precision)
    with ForkServer() as server:
        described = ask.description(server, {device})
        name = described.devices[0]
        show(Progress(phase="measuring", case=f"peaks of {name}", done=0, total=1, seconds_left=seconds))
        chosen = threads or default_threads(described.environment)
        started = now()
        try:
            peaks = device_peaks(server, name, chosen, tuple(dict.fromkeys(("fp32", *precisions))), seconds)
        except (Failed, WorkerDied) as failure:
            raise InputError(f"what {name} can do could not be measured: {failure}") from None
    header = RunHeader(
        id=new_run_id(datetime.datetime.now(datetime.UTC), PEAKS_SUITE),
        started=started,
        suite=PEAKS_SUITE,
        settings=None,
        environment=described.environment,
        plan=(),
    )
    with Writer.create(out, header) as writer:
        writer.append(peaks)
        writer.end("complete")
    return load(writer.path).files[0]


def device_peaks(server: ForkServer, device: str, threads: int, precisions: tuple[str, ...], seconds: float) -> Peaks:
    """Return what a device can do, measured in a worker of its own. Raises `Failed` or `WorkerDied`."""
    began, started = time.perf_counter(), now()
    request = MeasureDevicePeaks(device=device, threads=threads, precisions=precisions, seconds=seconds)
    measured = ask.ask_fresh(server, request, PEAKS_PATIENCE_S + seconds)
    sheet = sheet_of(measured.device_name)
    return Peaks(
        device=device,
        device_name=measured.device_name,
        threads=threads,
        compute=measured.compute,
        bandwidths=measured.bandwidths,
        dispatch_s=measured.dispatch_s,
        launch_s=measured.launch_s,
        sheet=sheet,
        started=started,
        duration_s=time.perf_counter() - began,
        notes=measured.notes,
        nulls=measured.nulls | ({} if sheet else {"sheet": NO_SHEET}),
    )
