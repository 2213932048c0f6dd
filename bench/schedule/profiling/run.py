"""From a suite to a run file that explains its cases: `run_profiles`."""

import datetime
import pathlib
import re
import shutil
from typing import Final

from msgspec import structs

from bench.machine.clock import now
from bench.process.forkserver import ForkServer
from bench.schedule.plan import make_plan
from bench.schedule.profiling.explain import Explained, ProfileOptions, explain
from bench.schedule.profiling.peaks import device_peaks
from bench.schedule.progress import Note, Progress, Show, ignore
from bench.schedule.run import Interrupted, private_folder
from bench.suites.suite import Suite
from results.errors import InputError
from results.schema.case import Case
from results.schema.lines.profile import Profile
from results.schema.lines.run import RunHeader
from results.schema.types import known
from results.storage.files import ELSEWHERE
from results.storage.reader import RunFile, load
from results.storage.writer import Writer, new_run_id

PROFILE_SUITE: Final = "profile"
"""Name of the suite in the header of the run file."""


def run_profiles(
    suite: Suite,
    *,
    device: str,
    out: str | pathlib.Path,
    options: ProfileOptions = ProfileOptions(),  # noqa: B008 - frozen
    show: Show = ignore,
) -> RunFile:
    """Explain the cases of `suite` in a new run file under `out`, with their traces beside it, and return the file.

    Raises:
        InputError: the device is not there, or does not go with the suite; nothing was measured.
        Interrupted: somebody ended it; what was measured is in the file.
    """
    with ForkServer() as server:
        plan = make_plan(server, suite, device)
        header = RunHeader(
            id=new_run_id(datetime.datetime.now(datetime.UTC), PROFILE_SUITE),
            started=now(),
            suite=PROFILE_SUITE,
            settings=None,
            environment=plan.environment,
            plan=(),
        )
        with Writer.create(out, header) as writer:
            try:
                _measure_peaks(server, plan.cases, writer, options, show)
                _explain_all(server, plan.cases, writer, options, show)
            except KeyboardInterrupt:
                writer.end("interrupted")
                raise Interrupted(writer.path, "interrupted") from None
            writer.end("complete")
    return load(writer.path).files[0]


def _measure_peaks(
    server: ForkServer, cases: tuple[Case, ...], writer: Writer, options: ProfileOptions, show: Show
) -> None:
    """Append what each device can do, with each number of threads, in the precisions of the cases and in fp32."""
    settings = dict.fromkeys((case.device, known(case.threads)) for case in cases)
    for device, threads in settings:
        show(Progress(phase="measuring", case=f"peaks of {device}", done=0, total=len(cases), seconds_left=None))
        own = (case.precision for case in cases if (case.device, case.threads) == (device, threads))
        precisions = tuple(dict.fromkeys(("fp32", *own)))
        writer.append(device_peaks(server, device, threads, precisions, options.peaks_s))


def _explain_all(
    server: ForkServer, cases: tuple[Case, ...], writer: Writer, options: ProfileOptions, show: Show
) -> None:
    """Append the profile and the memory of each case."""
    for number, case in enumerate(cases):
        show(Progress(phase="measuring", case=case.key, done=number, total=len(cases), seconds_left=None))
        with private_folder() as folder:
            explained = explain(server, case, pathlib.Path(folder), options)
            writer.append(_with_trace(explained, trace_path(writer.path, number, case), show))
        if explained.memory is not None:
            writer.append(explained.memory)


def _with_trace(explained: Explained, path: pathlib.Path, show: Show) -> Profile:
    """Move the trace to `path`, and return the profile with its name."""
    profile, trace = explained.profile, explained.trace
    if trace is None or profile.trace_bytes is None:
        return profile
    show(Note(f"trace, {profile.trace_bytes / 1e3:,.0f} kB: {path}"))
    try:
        shutil.move(trace, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}; {ELSEWHERE}") from None
    return structs.replace(profile, trace=path.name)


def trace_path(run: pathlib.Path, number: int, case: Case) -> pathlib.Path:
    """Return the path of the trace of a run's case: its name has 128 characters at most, of any file system."""
    words = re.sub(r"[^A-Za-z0-9.+-]+", "_", case.key)
    return run.with_name(f"{run.stem}.{number + 1}.{words}"[:114] + ".trace.json.gz")
