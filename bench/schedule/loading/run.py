"""From a request to a run file: `run_loader`."""

import datetime
import pathlib
import time
from typing import Final

from bench.machine.clock import now
from bench.process import ask
from bench.process.forkserver import ForkServer
from bench.schedule.loading.clients import LoaderClient, NetworkClient
from bench.schedule.loading.figures import LoadingFigures
from bench.schedule.loading.request import LoadingRequest, loading_notes, network_case
from bench.schedule.plan import default_threads
from bench.schedule.progress import Progress, Show, ignore
from results.errors import InputError
from results.schema.lines.loading import Loading
from results.schema.lines.run import Environment, RunHeader
from results.storage.files import ELSEWHERE
from results.storage.reader import RunFile, load
from results.storage.writer import Writer, new_run_id
from results.text import printable

SUITE: Final = "loader"
"""Name of the suite in the header of the run file."""


def run_loader(request: LoadingRequest, *, device: str, out: str | pathlib.Path, show: Show = ignore) -> RunFile:
    """Measure `request` into a new run file under `out`, and return the file.

    Raises:
        InputError: the data, the model or the device is not there, or does not fit the others; nothing is written.
        LoadingFailed: a worker died or hung; nothing is written.
    """
    _make_folder(pathlib.Path(out))
    with ForkServer() as server:
        described = ask.description(server, {device})
        started = now()
        loading = measure_loading(server, request, described.devices[0], described.environment, show)
    header = RunHeader(
        id=new_run_id(datetime.datetime.now(datetime.UTC), SUITE),
        started=started,
        suite=SUITE,
        settings=None,
        environment=described.environment,
        plan=(),
    )
    with Writer.create(out, header) as writer:
        writer.append(loading)
        writer.end("complete")
    return load(writer.path).files[0]


def _make_folder(folder: pathlib.Path) -> None:
    """Make the folder of the run file before minutes of measuring."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}; {ELSEWHERE}") from None


def measure_loading(
    server: ForkServer, request: LoadingRequest, device: str, environment: Environment, show: Show
) -> Loading:
    """Return the measured loading of `request` for a `device`, given by its full name."""
    began, started = time.perf_counter(), now()
    threads = default_threads(environment)
    channel = server.spawn()
    loader = LoaderClient(channel)
    network = None
    try:
        show(Progress(phase="preparing", case=request.data, done=0, total=1, seconds_left=None))
        opened = loader.open(request, device, threads)
        case = network_case(request, opened, device, threads)
        network = NetworkClient(server, case, request.seconds)
        figures = LoadingFigures(loader, network, opened, request)
        figures.measure(show)
    finally:
        channel.close()
        if network is not None:
            network.close()
    return Loading(
        data=printable(pathlib.Path(request.data).resolve().name)[:128] or "/",
        images=opened.images,
        sample=opened.sample,
        image_bytes=opened.image_bytes,
        decoder=opened.decoder,
        network=case,
        network_image_s=tuple(network.image_s) if network.cause is None else None,
        stages=figures.stages(),
        rates=figures.rates(),
        left_out=figures.left_out,
        started=started,
        duration_s=time.perf_counter() - began,
        notes=loading_notes(request, opened, device),
        nulls=opened.nulls | ({} if network.cause is None else {"network_image_s": network.cause[:4096]}),
    )
