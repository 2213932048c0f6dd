"""From a question to a run file with the fastest configuration."""

import datetime
import pathlib
import time
from typing import Final

from msgspec import structs

from bench.machine.clock import now
from bench.machine.device_names import is_cpu
from bench.process import ask
from bench.process.caches import Caches
from bench.process.forkserver import ForkServer, ServerLost
from bench.schedule.plan import default_threads
from bench.schedule.progress import Planned, Show, ignore
from bench.schedule.racing.candidates import candidates, precisions
from bench.schedule.racing.hunt import BATCHES, CONFIRMATIONS, Hunt
from bench.schedule.racing.request import SearchRequest
from bench.schedule.run import Interrupted, Stopped, private_folder
from bench.suites.suite import kind_of
from bench.suites.values import DEFAULTS
from results.errors import InputError
from results.schema.case import Case
from results.schema.lines.run import Environment, RunHeader
from results.schema.lines.search import Search
from results.storage.reader import Records, load
from results.storage.writer import Writer, new_run_id

SEARCH_SUITE: Final = "best"
"""Name of the suite in the header of the run file."""
CONFIRM_S: Final = 2.0
"""Seconds of sampling of a finalist in a fresh process."""


def find_best(
    request: SearchRequest, *, device: str, out: str | pathlib.Path, show: Show = ignore
) -> tuple[Search, Records]:
    """Find the fastest configuration that meets the bounds; return the search and the records of its file.

    Raises:
        InputError: the device is not there, or nothing is a candidate.
        Stopped: the search ended early; its records are in the file, without an answer.
    """
    with ForkServer() as server, private_folder() as folder:
        began = time.perf_counter()
        (name,), environment = ask.environment(server, [device])
        cases = _candidates(request, name, environment)
        settings = structs.replace(
            DEFAULTS[kind_of(name)],
            replicates=1 + CONFIRMATIONS,
            budget_s=CONFIRM_S,
            time_limit_s=request.time_limit_s,
        )
        header = RunHeader(
            id=new_run_id(datetime.datetime.now(datetime.UTC), SEARCH_SUITE),
            started=now(),
            suite=SEARCH_SUITE,
            settings=settings,
            environment=environment,
            plan=(),
        )
        with Writer.create(out, header) as writer:
            show(Planned(run=header, path=writer.path))
            hunt = Hunt(
                server,
                request,
                cases,
                settings=settings,
                caches=Caches(pathlib.Path(folder)),
                writer=writer,
                show=show,
                began=began,
            )
            try:
                search = hunt.run()
                writer.append(search)
                writer.end("complete")
            except KeyboardInterrupt:
                writer.end("interrupted")
                raise Interrupted(writer.path, "interrupted") from None
            except ServerLost as loss:
                writer.end("interrupted")
                raise Stopped(writer.path, str(loss)) from loss
    return search, load(writer.path)


def _precisions(request: SearchRequest, device: str) -> tuple[str, ...]:
    """Return what a device computes in well, and int8 where the agreement is bounded: speed alone would be a lie."""
    quantized = ("int8",) if request.min_agreement is not None and is_cpu(device) else ()
    return (*precisions(device), *quantized)


def _candidates(request: SearchRequest, device: str, environment: Environment) -> tuple[Case, ...]:
    axes = {"precision": _precisions(request, device), **request.axes}
    cases = candidates(
        request.models,
        task=request.task,
        batches=request.batches or BATCHES[:1],
        device=device,
        threads=request.threads or (default_threads(environment),),
        axes=axes,
        image_size=request.image_size,
    )
    if not cases:
        raise InputError(f"nothing can be tried: no runtime of {device} has these precisions and layouts")
    return cases
