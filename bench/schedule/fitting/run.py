"""From a suite to a run file with the largest batch of each case: `run_fits`."""

import datetime
import math
import pathlib
from typing import Final

from msgspec import structs

from bench.machine.clock import now
from bench.process.forkserver import ForkServer
from bench.schedule.fitting.fit import FitRequest, Unfitted, largest_batch
from bench.schedule.plan import make_plan
from bench.schedule.progress import Note, Show, ignore
from bench.suites.suite import Suite
from results.errors import InputError
from results.schema.lines.run import RunHeader
from results.storage.reader import RunFile, load
from results.storage.writer import Writer, new_run_id

FIT_SUITE: Final = "fit"
"""Name of the suite in the header of the run file."""


def run_fits(
    suite: Suite, request: FitRequest, *, device: str, out: str | pathlib.Path, show: Show = ignore
) -> RunFile:
    """Find the largest batch of each case of `suite`, whatever its own, and return the run file.

    Raises:
        InputError: the device is not there or does not go with the suite, or no case can be tried at all.
    """
    limit_s = math.inf if request.time_limit_s is None else request.time_limit_s
    with ForkServer() as server:
        plan = make_plan(server, suite, device)
        cases = tuple(dict.fromkeys(structs.replace(case, batch_size=1) for case in plan.cases))
        header = RunHeader(
            id=new_run_id(datetime.datetime.now(datetime.UTC), FIT_SUITE),
            started=now(),
            suite=FIT_SUITE,
            settings=None,
            environment=plan.environment,
            plan=(),
        )
        fits = []
        for case in cases:
            try:
                fits.append(
                    largest_batch(
                        server, case, request.memory_bytes, verify=request.verify, time_limit_s=limit_s, show=show
                    )
                )
            except Unfitted as cause:
                if len(cases) == 1:
                    raise InputError(f"{case.key}: {cause}") from None
                show(Note(f"{case.key}: {cause}"))
    with Writer.create(out, header) as writer:
        for fit in fits:
            writer.append(fit)
        writer.end("complete")
    return load(writer.path).files[0]
