"""A/B: two settings of one case, or two interpreters, in pairs of fresh processes that are stepped in turn.

An arm may run in its own interpreter, or from its own checkout: two versions of PyTorch or of this project are then
compared step by step on the same machine at the same time. Pairs are added until a look at them gives a verdict (see
`results.statistics.looks`), or until the last look or the time is over. Both arms leave a run file;
`results.analysis.ab` reads them.
"""

import contextlib
import dataclasses
import datetime
import pathlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import structs

from bench.machine.clock import now
from bench.process import ask
from bench.process.forkserver import SERVE, ForkServer, ServerLost
from bench.schedule.pairs import Arm, Pairs
from bench.schedule.plan import default_threads, share_of_limit
from bench.schedule.progress import Show, ignore
from bench.schedule.run import Stopped, private_folder
from bench.suites.suite import custom_suite, expand
from bench.suites.values import change_settings
from results.analysis.ab import Paired, compare_arms
from results.errors import InputError
from results.schema.lines import run
from results.schema.lines.run import ArmName, Environment, RunHeader, Settings
from results.schema.lines.static import Static, static_key
from results.schema.types import known
from results.statistics.looks import LOOKS
from results.statistics.margin import MARGIN, check_margin
from results.storage.reader import load
from results.storage.writer import Writer, new_run_id

PAIR_DEFAULTS: Final = Settings(replicates=max(LOOKS), target=0.003, budget_s=1.5, timeout_s=600.0, time_limit_s=None)
"""Sampling of a pair: short, because more pairs reduce the uncertainty more than more steps."""
_PREPARATION: Final = 0.5
"""Share of a time limit after which no more peak rates and static costs are asked for."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ArmSetup:
    """The description of an arm."""

    axes: Mapping[str, str | int]
    """Values of the axes that differ from their defaults; the model is required."""
    python: pathlib.Path | None = None
    """Its interpreter, None for the caller's interpreter."""
    checkout: pathlib.Path | None = None
    """A folder whose modules come before all others in its interpreter."""
    target: str = SERVE
    """The ``module:function`` that its workers run."""


def ab(
    a: ArmSetup,
    b: ArmSetup,
    *,
    margin: float = MARGIN,
    device: str = "auto",
    out: str | pathlib.Path | None = "runs",
    show: Show = ignore,
    **settings: float | None,
) -> Paired:
    """Compare two arms, and return the verdict on their pairs.

    Args:
        a: the arm to compare with.
        b: the arm that is judged.
        margin: the relative difference of the time per image that does not matter.
        device: as `bench.run` takes it.
        out: folder of the two run files; None keeps none.
        show: takes every `bench.schedule.progress.Event`, between timed turns only.
        settings: fields of `Settings`; ``time_limit_s`` begins with this call and ends the comparison with
            what pairs there are, but not before the first.

    Raises:
        InputError: an argument is wrong, an interpreter lacks a package, or the device does not exist.
        Stopped: the processes that start workers were lost; the earlier pairs are in the files.
    """
    began = time.perf_counter()
    check_margin(margin)
    chosen = change_settings(PAIR_DEFAULTS, **settings)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(out if out is not None else stack.enter_context(_temporary_folder()))
        cache = pathlib.Path(stack.enter_context(private_folder()))
        pair = new_run_id(datetime.datetime.now(datetime.UTC), "ab")
        arms = _arms(stack, {"a": a, "b": b}, device, cache)
        writers = []
        for arm, environment in arms:
            header = _header(arm, environment, pair=pair, margin=margin, settings=chosen)
            until = share_of_limit(began, chosen, _PREPARATION)
            writers.append(stack.enter_context(_writer(arm, folder, header, until)))
        deadline = share_of_limit(began, chosen, 1.0)
        _record(Pairs(*(arm for arm, _ in arms), margin=margin, settings=chosen, deadline=deadline), writers, show)
        return compare_arms(*(load(writer.path) for writer in writers))  # read back: the files are the truth


def _record(pairs: Pairs, writers: Sequence[Writer], show: Show) -> None:
    """Write both records of every pair into the run files of their arms, and show the events between them."""
    try:
        with contextlib.closing(pairs.measure()) as events:
            for event in events:
                if isinstance(event, tuple):
                    for writer, record in zip(writers, event, strict=True):
                        writer.append(record)
                else:
                    show(event)
    except BaseException as error:
        for writer in writers:
            writer.end("interrupted")
        if isinstance(error, ServerLost):
            raise Stopped(writers[0].path, str(error)) from error
        raise
    for writer in writers:
        writer.end("complete")


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="resnet-bench-")  # mode 0700


def _arms(
    stack: contextlib.ExitStack, setups: Mapping[ArmName, ArmSetup], device: str, cache: pathlib.Path
) -> list[tuple[Arm, Environment]]:
    """Return both arms and their environments; arms with the same interpreter and checkout share a fork server."""
    servers: dict[tuple[pathlib.Path | None, pathlib.Path | None], ForkServer] = {}
    for name, setup in setups.items():
        key = (setup.python, setup.checkout)
        if key not in servers:
            servers[key] = stack.enter_context(_server(setup, name))
    return [_arm(name, setup, servers[setup.python, setup.checkout], device, cache) for name, setup in setups.items()]


def _server(setup: ArmSetup, name: ArmName) -> ForkServer:
    if setup.checkout is not None and not (setup.checkout / "bench" / "worker").is_dir():
        raise InputError(f"arm {name}: {setup.checkout} is no checkout of resnet-bench")  # it would run another's code
    try:
        return ForkServer(setup.python, checkout=setup.checkout)
    except ServerLost as loss:
        raise InputError(f"arm {name}: {loss}") from None


def _arm(
    name: ArmName, setup: ArmSetup, server: ForkServer, device: str, cache: pathlib.Path
) -> tuple[Arm, Environment]:
    try:
        (full_name,), environment = ask.environment(server, {device})
        suite = custom_suite({axis: [value] for axis, value in setup.axes.items()})
        (case,) = expand(suite, device=full_name, threads=default_threads(environment))
    except InputError as error:
        raise InputError(f"arm {name}: {error}") from None
    own = cache / name
    own.mkdir(mode=0o700)
    return Arm(name=name, server=server, case=case, cache=own, target=setup.target), environment


def _header(arm: Arm, environment: Environment, *, pair: str, margin: float, settings: Settings) -> RunHeader:
    return RunHeader(
        id=f"{pair}-{arm.name}",
        started=now(),
        suite="ab",
        settings=settings,
        environment=environment,
        plan=(arm.case,),
        arm=run.Arm(name=arm.name, pair=pair, margin=margin),
    )


def _writer(arm: Arm, folder: pathlib.Path, header: RunHeader, until: float) -> Writer:
    """Start the run file of an arm, with the peak rate and the static cost that can be had `until` then."""
    peaks = ask.peaks(arm.server, (arm.case,), deadline=until)
    timeout_s = known(header.settings).timeout_s
    static = ask.static(arm.server, *static_key(arm.case), timeout_s=timeout_s, deadline=until)
    writer = Writer.create(folder, structs.replace(header, peaks=peaks))
    if isinstance(static, Static):
        writer.append(static)
    return writer
