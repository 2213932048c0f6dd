"""Measure ResNets on this machine: `run` a suite, find the `best` setting, compare by `ab`, `train`, `profile`."""

# ruff: noqa: PLC0415 - names are imported when they are first used: the command line's help must not wait

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.costs.static import cost
    from bench.process.training.messages import DataChoice
    from bench.schedule.ab import ArmSetup, ab
    from bench.schedule.profiling.explain import ProfileOptions
    from bench.schedule.progress import Show
    from bench.schedule.run import resume
    from bench.schedule.training.run import resume_training
    from bench.suites.suite import Suite
    from results.schema.case import Case
    from results.schema.lines.search import Search
    from results.storage.reader import Records, RunFile

__all__ = [
    "ArmSetup",
    "DataChoice",
    "ProfileOptions",
    "ab",
    "best",
    "cost",
    "fit",
    "profile",
    "resume",
    "resume_training",
    "run",
    "train",
]

_HOMES = {
    "ArmSetup": "bench.schedule.ab",
    "DataChoice": "bench.process.training.messages",
    "ProfileOptions": "bench.schedule.profiling.explain",
    "ab": "bench.schedule.ab",
    "cost": "bench.costs.static",
    "resume": "bench.schedule.run",
    "resume_training": "bench.schedule.training.run",
}


def run(
    suite: "Suite | str | Path | Iterable[Case] | None" = None,
    *,
    axes: Mapping[str, Sequence[str | int]] | None = None,
    device: str = "auto",
    out: str | Path = "runs",
    show: "Show | None" = None,
    **settings: float | str | None,
) -> "Records":
    """Measure a suite into a new run file under `out`, and return its records.

    Args:
        suite: name of a built-in suite, path of a TOML file, a `Suite`, or cases; None: `axes` alone are the plan, or
            the default suite where `axes` are missing too.
        axes: values by axis; they replace those of the suite.
        device: ``auto`` (the first accelerator, else the CPU), ``cpu``, ``cuda``, ``cuda:1``… ``cuda:0,cuda:1`` or
            ``cuda:all`` measure the same plan on each of these devices, one by one, or all at the same time with the
            setting ``cards="at-once"``. Given cases name their own.
        out: folder of run files.
        show: takes every `bench.schedule.progress.Event`, between timed turns only, but for those of other cards that
            are measured at once; None shows nothing.
        settings: fields of `Settings` (``replicates``, ``target``, ``budget_s``…); they replace those of the suite.

    Raises:
        InputError: an argument is wrong; nothing was measured.
        Stopped: the run ended before its time; what was measured is in the file.
    """
    from bench.schedule import progress
    from bench.schedule import run as schedule
    from bench.suites.request import requested

    request = requested(suite, axes, settings)
    return schedule.run(request, device=device, out=out, show=show or progress.ignore)


def train(
    model: str | Sequence[str],
    *,
    data: "str | DataChoice",
    seeds: Iterable[int] = (0,),
    device: str = "auto",
    out: str | Path = "runs",
    workers: int = 0,
    until: float | None = None,
    show: "Show | None" = None,
    **choices: Any,
) -> "Records":
    """Train models from each seed into a new run file under `out`, and return what the file holds.

    Args:
        model: a variant, or several.
        data: a data set of `resnet.data.SETS`, a folder of images, or a `DataChoice`.
        seeds: seeds of the trainings.
        device: ``auto``, ``cpu``, ``cuda:0``…
        out: folder of run files; checkpoints and trained networks go there too.
        workers: processes that decode image files.
        until: validation accuracy, such as 0.93, at which a training stops; None trains to the recipe's end.
        show: takes every `bench.schedule.progress.Event`; None shows nothing.
        choices: ``recipe``, ``epochs``, ``batch_size``, ``precision``, ``runtime``, ``layout``, ``threads``… as in
            `bench.process.training.messages.TrainingChoice`; they replace those of the recipe.

    Raises:
        InputError: a choice is wrong, or the data are not there; nothing was trained.
        Stopped: the run ended early; `resume_training` continues its file.
    """
    from bench.process.training.messages import DataChoice, TrainingChoice
    from bench.schedule import progress
    from bench.schedule.training import run as schedule
    from results.errors import InputError, suggestion

    names = TrainingChoice.__annotations__
    for name in choices:
        if name not in names:
            raise InputError(f"unknown choice {name!r}{suggestion(name, names)}")
    models = (model,) if isinstance(model, str) else tuple(model)
    source = data if isinstance(data, DataChoice) else DataChoice(name=data)
    choice = TrainingChoice(models=models, seeds=tuple(seeds), data=source, **choices)
    options: dict[str, Any] = {"device": device, "out": out, "workers": workers, "until": until}
    return schedule.train(choice, show=show or progress.ignore, **options)


def best(
    model: str | Sequence[str],
    *,
    device: str = "auto",
    out: str | Path = "runs",
    show: "Show | None" = None,
    **choices: Any,
) -> "tuple[Search, Records]":
    """Find the fastest setting of a model, or of several, on this machine; return the search and its records.

    `results.analysis.searches.fastest.fastest` of a `results.Study` of the records has the winner's figures.

    Args:
        model: a model, or several.
        device: ``auto``, ``cpu``, ``cuda:0``…
        out: folder of run files.
        show: takes every `bench.schedule.progress.Event`; None shows nothing.
        choices: fields of `bench.schedule.racing.request.SearchRequest`: ``batches``, ``threads``, ``axes``,
            ``max_latency_s``, ``max_memory_bytes``, ``min_agreement``, ``time_limit_s``…

    Raises:
        InputError: a choice is wrong, or nothing is a candidate.
        Stopped: the search ended before its time; its file holds what was measured, without an answer.
    """
    from bench.schedule import progress
    from bench.schedule.racing.request import SearchRequest
    from bench.schedule.racing.run import find_best
    from bench.suites import models
    from results.errors import InputError, suggestion

    names = SearchRequest.__annotations__
    for name in choices:
        if name not in names:
            raise InputError(f"unknown choice {name!r}{suggestion(name, names)}")
    chosen = (model,) if isinstance(model, str) else tuple(model)
    for name in chosen:
        models.check(name)
    return find_best(SearchRequest(models=chosen, **choices), device=device, out=out, show=show or progress.ignore)


def profile(
    axes: Mapping[str, Sequence[str | int]],
    *,
    options: "ProfileOptions | None" = None,
    device: str = "auto",
    out: str | Path = "runs",
    show: "Show | None" = None,
) -> "RunFile":
    """Profile the cases of `axes` into a new run file, and return it; `RunFile.bodies("profile")` are the profiles.

    Raises:
        InputError: an argument is wrong.
    """
    from bench.schedule import progress
    from bench.schedule.profiling.explain import ProfileOptions
    from bench.schedule.profiling.run import run_profiles
    from bench.suites.suite import custom_suite

    chosen = options or ProfileOptions()
    return run_profiles(custom_suite(axes), device=device, out=out, options=chosen, show=show or progress.ignore)


def fit(
    axes: Mapping[str, Sequence[str | int]],
    *,
    memory: str,
    verify: bool = False,
    time_limit_s: float | None = None,
    device: str = "auto",
    out: str | Path = "runs",
    show: "Show | None" = None,
) -> "RunFile":
    """Find the largest batch of the cases of `axes` that fits; `RunFile.bodies("fit")` are the answers.

    Args:
        axes: values by axis, without a batch.
        memory: what a process may take, such as ``8GB`` or ``free``.
        verify: whether to measure batches, each in a fresh process.
        time_limit_s: seconds after which no further batch is tried.
        device: as `run` takes it.
        out: folder of run files.
        show: as `run` takes it.

    Raises:
        InputError: an argument is wrong, or no case can be tried.
    """
    from bench.schedule import progress
    from bench.schedule.fitting.fit import FitRequest
    from bench.schedule.fitting.run import run_fits
    from bench.schedule.fitting.sizes import memory_size
    from bench.suites.suite import custom_suite

    request = FitRequest(memory_bytes=memory_size(memory), verify=verify, time_limit_s=time_limit_s)
    return run_fits(custom_suite(axes), request, device=device, out=out, show=show or progress.ignore)


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
