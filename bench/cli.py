"""The command line: options in, one library call, output out.

Everything heavy is imported inside the command that needs it, so that ``--help`` and ``list`` answer at once.
Results go to stdout; progress, warnings and errors go to stderr. Whatever is wrong with the input ends as one line
``error: …`` and exit code 2.
"""

# ruff: noqa: PLC0415 - see above: imports inside commands are what keeps --help fast

import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from bench.listing import Format
from results.errors import InputError

if TYPE_CHECKING:
    from bench.runner import Plan
    from results.store import Records

OK: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
INCOMPLETE: Final = 3
INTERRUPTED: Final = 130

FINE: Final = ("ok", "unsupported")
"""Statuses that do not make a run a failure: what a device cannot do is a finding."""

LONGEST_MESSAGE: Final = 1000
"""Characters of an error; what was quoted from the input may have no end."""

app = typer.Typer(
    help="Benchmark ResNets on PyTorch: latency, throughput, memory and cost, each with its uncertainty.",
    add_completion=False,
    rich_markup_mode=None,  # Rich would cost a third of the time that --help may take
    pretty_exceptions_enable=False,
)


def _axis(text: str) -> Any:
    return typer.Option(metavar="VALUE,...", help=text)


_Axis = list[str] | None
_Form = Annotated[Format, typer.Option("--format", help="Form of the output.")]
_Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run files, or folders of them.")]
"""Run files as every command that reads them takes them."""


@app.callback(invoke_without_command=True)
def _resnet_bench(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from bench.environment import tool_version

        typer.echo(f"resnet-bench {tool_version()}")
        raise typer.Exit


@app.command()
def run(
    suite: Annotated[
        str | None,
        typer.Argument(metavar="SUITE", help="A built-in suite (see `list suites`) or a TOML file [default: default]."),
    ] = None,
    model: Annotated[_Axis, _axis("Variants or peers; 'all' is every variant.")] = None,
    task: Annotated[_Axis, _axis("inference, training.")] = None,
    precision: Annotated[_Axis, _axis("fp32, tf32, amp-fp16, amp-bf16, fp16, bf16.")] = None,
    runtime: Annotated[_Axis, _axis("eager, compile, compile:max-autotune, ...")] = None,
    layout: Annotated[_Axis, _axis("nchw, nhwc (channels_last).")] = None,
    batch_size: Annotated[_Axis, _axis("Images a step.")] = None,
    image_size: Annotated[_Axis, _axis("Height and width in pixels.")] = None,
    threads: Annotated[_Axis, _axis("Threads inside one operator on the CPU.")] = None,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, or an accelerator such as cuda:0.")
    ] = "auto",
    replicates: Annotated[int | None, typer.Option(metavar="COUNT", help="Fresh processes a case.")] = None,
    target: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Half-width of the 95 % interval to reach: 1%.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds of sampling a process at most.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds until a silent process counts as hung.")
    ] = None,
    time_limit: Annotated[float | None, typer.Option(metavar="SECONDS", help="Seconds for the whole run.")] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the run file and the page.")] = Path("runs"),
    resume: Annotated[Path | None, typer.Option(metavar="FILE", help="Go on with an interrupted run file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the cases and an estimate only.")] = False,
    report: Annotated[bool, typer.Option(help="Write the HTML page.")] = True,
) -> int:
    """Measure a suite, or the cases that the axis options describe.

    Axis options take several values, comma-separated or repeated, and are multiplied out. With a suite they replace
    its values; without one they are the whole plan.

    Exit codes: 0 fine, 1 a case failed, 2 bad input, 3 the time limit left cases out, 130 interrupted.
    """
    words = {"model": model, "task": task, "precision": precision, "runtime": runtime, "layout": layout}
    sizes = {"batch_size": batch_size, "image_size": image_size, "threads": threads}
    axes: dict[str, Sequence[str | int]] = {
        **{axis: _split(values) for axis, values in words.items() if values},
        **{axis: [_whole(axis, text) for text in _split(values)] for axis, values in sizes.items() if values},
    }
    settings = {
        "replicates": replicates,
        "target": target,
        "budget_s": budget,
        "timeout_s": timeout,
        "time_limit_s": time_limit,
    }
    fresh = resume is None
    if not fresh and (suite or axes or dry_run or any(value is not None for value in settings.values())):
        raise InputError("--resume goes on with the plan and settings in its file; leave out suite, axes and settings")

    from bench import progress, runner
    from bench.suite import choose

    plan = choose(suite, axes, settings) if fresh else None
    if dry_run:
        _show_plan(runner.plan(plan, device=device))
        return OK
    listener = progress.listener(sys.stderr)
    try:
        records = runner.run(plan, device=device, out=out, resume=resume, listener=listener)
    except runner.Stopped as stopped:
        _say(f"{stopped}; go on with `resnet-bench run --resume {stopped.path}`")
        return INTERRUPTED if isinstance(stopped, runner.Interrupted) else FAILED
    return _show_records(records, report=report)


@app.command("list")
def list_(
    what: Annotated[Literal["models", "suites", "metrics"] | None, typer.Argument(help="One list only.")] = None,
) -> None:
    """List the models, suites and metrics there are."""
    from bench import listing

    lists = {"models": listing.models_text, "suites": listing.suites_text, "metrics": listing.metrics_text}
    if what is not None:
        typer.echo(lists[what]())
    else:
        typer.echo("\n\n".join(f"{name.upper()}\n{text()}" for name, text in lists.items()))


@app.command()
def cost(
    model: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Models; 'all' is every variant.")],
    image_size: Annotated[int | None, typer.Option(min=1, help="Pixels [default: the model's own].")] = None,
    per_layer: Annotated[bool, typer.Option("--per-layer", help="A row for each layer.")] = False,
    per_stage: Annotated[bool, typer.Option("--per-stage", help="A row for each stage.")] = False,
    form: _Form = "table",
) -> None:
    """Count parameters, MACs, FLOPs and activations, without timing anything."""
    if per_layer and per_stage:
        raise InputError("--per-layer and --per-stage: choose one of them")

    from bench import costs, listing, progress, suite

    names = tuple(dict.fromkeys(name for word in _split(model) for name in suite.model_names(word)))
    statics = progress.counted(costs.costs(names, image_size=image_size), len(names), sys.stderr)
    typer.echo(listing.cost_text(statics, form, per="layer" if per_layer else "stage" if per_stage else None))


@app.command()
def table(runs: _Runs, form: _Form = "table") -> None:
    """Print the table of run files."""
    import results
    from results.findings import findings_text
    from results.rendering import format_table, pivots_text

    records = _load(runs)
    frame = results.table(records)
    typer.echo(format_table(frame, form) + pivots_text(frame, form) + findings_text(records, form), nl=False)


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="Run file, or a folder of them, to compare with.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Run file, or a folder of them, that is judged.")],
    margin: Annotated[
        str, typer.Option(metavar="PERCENT", help="Difference of latency that does not matter: 2%.")
    ] = "2%",
    form: _Form = "table",
) -> int:
    """Compare two sides of runs: what became faster or slower, and what cannot be said.

    Exit codes: 0 nothing became worse, 1 a case did, 2 bad input, 3 not enough to say.
    """
    import results
    from bench.suite import fraction
    from results.comparison_text import comparison_text

    comparison = results.compare(_load([base]), _load([new]), margin=fraction(margin))
    typer.echo(comparison_text(comparison, form), nl=False)
    return {"pass": OK, "regression": FAILED, "inconclusive": INCOMPLETE}[comparison.outcome]


def _arm(name: str, what: str) -> Any:
    return typer.Option(f"--{what}-{name}", metavar="PATH", help=f"The {what} that arm {name} runs from.")


@app.command()
def ab(
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="Variant or peer of both arms.")] = None,
    task: Annotated[str | None, typer.Option(metavar="TASK", help="inference, training.")] = None,
    precision: Annotated[str | None, typer.Option(metavar="PRECISION", help="fp32, tf32, amp-bf16, ...")] = None,
    runtime: Annotated[str | None, typer.Option(metavar="RUNTIME", help="eager, compile, ...")] = None,
    layout: Annotated[str | None, typer.Option(metavar="LAYOUT", help="nchw, nhwc.")] = None,
    batch_size: Annotated[str | None, typer.Option(metavar="COUNT", help="Images a step.")] = None,
    image_size: Annotated[str | None, typer.Option(metavar="PIXELS", help="Height and width.")] = None,
    threads: Annotated[
        str | None, typer.Option(metavar="COUNT", help="Threads inside one operator on the CPU.")
    ] = None,
    a: Annotated[str, typer.Option("--a", metavar="KEY=VALUE,...", help="Axes that arm a has of its own.")] = "",
    b: Annotated[str, typer.Option("--b", metavar="KEY=VALUE,...", help="Axes that arm b has of its own.")] = "",
    python_a: Annotated[Path | None, _arm("a", "python")] = None,
    python_b: Annotated[Path | None, _arm("b", "python")] = None,
    checkout_a: Annotated[Path | None, _arm("a", "checkout")] = None,
    checkout_b: Annotated[Path | None, _arm("b", "checkout")] = None,
    margin: Annotated[str, typer.Option(metavar="PERCENT", help="Difference that does not matter: 2%.")] = "2%",
    device: Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, or an accelerator.")] = "auto",
    budget: Annotated[float | None, typer.Option(metavar="SECONDS", help="Sampling of one process at most.")] = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Until a process counts as hung.")] = None,
    time_limit: Annotated[float | None, typer.Option(metavar="SECONDS", help="For all pairs together.")] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the two run files.")] = Path("runs"),
    form: _Form = "table",
) -> int:
    """Compare two settings of one case, or two interpreters or checkouts: is b slower than a?

    Pairs of fresh processes are stepped in turn; 10, 20 or 40 pairs are judged, as soon as they tell. Without --a and
    --b both arms are the same, which shows what this machine can resolve.

    Exit codes: 0 b is faster or the same, 1 slower or broken, 2 bad input, 3 not enough to say.
    """
    common = {
        "model": model,
        "task": task,
        "precision": precision,
        "runtime": runtime,
        "layout": layout,
        "batch_size": batch_size,
        "image_size": image_size,
        "threads": threads,
    }
    from bench import progress
    from bench.arms import Side
    from bench.arms import ab as measure
    from bench.runner import Stopped
    from bench.suite import fraction
    from results.arms_text import arms_text

    sides = [
        Side(axes=_arm_axes(name, text, common), python=_existing(python), checkout=_existing(checkout))
        for name, text, python, checkout in (("a", a, python_a, checkout_a), ("b", b, python_b, checkout_b))
    ]
    try:
        found = measure(
            *sides,
            margin=fraction(margin),
            device=device,
            out=out,
            listener=progress.listener(sys.stderr),
            budget_s=budget,
            timeout_s=timeout,
            time_limit_s=time_limit,
        )
    except Stopped as stopped:
        _say(str(stopped))
        return FAILED
    typer.echo(arms_text(found, form), nl=False)
    _say(f"run files: {out / found.pair}-a.jsonl {out / found.pair}-b.jsonl")
    return {"pass": OK, "regression": FAILED, "inconclusive": INCOMPLETE}[found.outcome]


@app.command()
def doctor(
    model: Annotated[str, typer.Option(metavar="MODEL", help="Both arms of the A/A run.")] = "resnet18",
    batch_size: Annotated[int, typer.Option(metavar="COUNT", min=1, help="Images a step.")] = 1,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, or an accelerator.")] = "auto",
    time: Annotated[float, typer.Option(metavar="SECONDS", min=1.0, help="For the A/A run.")] = 60.0,
    aa: Annotated[bool, typer.Option(help="Measure the noise floor.")] = True,
    form: Annotated[Literal["table", "json"], typer.Option("--format", help="Form of the output.")] = "table",
) -> int:
    """Tell whether this machine is fit to measure, what to do about it, and how small a difference it can show.

    Exit codes: 0 fit, perhaps with warnings, 1 something is bad, 2 bad input.
    """
    from bench import progress
    from bench.arms import ab as measure
    from bench.doctor import examine, findings_text, full_name

    findings = examine(
        full_name(device),
        model=model,
        batch_size=batch_size,
        time_s=time,
        aa=measure if aa else None,
        listener=progress.listener(sys.stderr),
    )
    typer.echo(findings_text(findings, form), nl=False)
    return OK if findings.fit else FAILED


@app.command()
def report(
    runs: _Runs,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
) -> None:
    """Write the page of run files: one self-contained HTML file."""
    import reports

    _echo_path("", reports.build(_load(runs), output))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code.

    Args:
        arguments: what to use in place of ``sys.argv[1:]``.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)  # a CI job that is cancelled ends as cleanly as with Ctrl-C
    if isinstance(sys.stdout, io.TextIOWrapper):  # what the locale's encoding does not have is written out
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = app(given or ["--help"], prog_name="resnet-bench", standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        return _fail(str(error))
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "")
        return _fail(f"{message[:1].lower()}{message[1:].rstrip('.')}")
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read stdout has gone, as `head` does
        _settle_stdout()
        return FAILED
    except OSError as error:
        _settle_stdout()
        return _fail(f"{error.filename or 'output'}: {error.strerror}")
    return int(code or OK)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _split(values: Sequence[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",")]


def _arm_axes(name: str, text: str, common: dict[str, str | None]) -> dict[str, str | int]:
    """Return the axes of one arm: those that both have, and its own."""
    values = {axis: value for axis, value in common.items() if value is not None}
    for part in filter(None, _split([text])):
        key, equals, value = (word.strip() for word in part.partition("="))
        axis = key.replace("-", "_")
        if not equals or axis not in common:
            raise InputError(f"--{name}: {part!r} is no KEY=VALUE with a key of {', '.join(common)}")
        values[axis] = value
    return {
        axis: _whole(axis, value) if axis in {"batch_size", "image_size", "threads"} else value
        for axis, value in values.items()
    }


def _existing(path: Path | None) -> Path | None:
    if path is not None and not path.exists():
        raise InputError(f"there is no {path}")
    return path


def _whole(axis: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{axis}: {text!r} is not a whole number") from None


def _load(paths: Sequence[Path]) -> "Records":
    import results

    records = results.load(*paths)
    for problem in records.problems:
        _say(f"warning: {problem}")
    return records


def _show_plan(plan: "Plan") -> None:
    from bench.progress import duration

    for case in plan.cases:
        typer.echo(case.key)
    count, replicates = len(plan.cases), plan.settings.replicates
    times = "" if replicates == 1 else f" {replicates} times"
    _say(f"suite {plan.suite}: {count} cases{times}, about {duration(plan.estimate_s)}")


def _show_records(records: "Records", *, report: bool) -> int:
    import results
    from results.findings import findings_text
    from results.rendering import format_table, pivots_text

    frame = results.table(records)
    typer.echo(format_table(frame, "table") + pivots_text(frame, "table") + findings_text(records, "table"))
    for record in records:
        if record.status != "ok":
            _say(f"{record.status}: {record.case.key}: {record.cause}")
    for file in records.files:
        _echo_path("run file: ", file.path)
        if report:
            import reports

            _echo_path("page: ", reports.build(records, file.path.with_suffix(".html")))
    if any(record.status not in FINE for record in records):
        return FAILED
    if not all(file.complete for file in records.files):
        paths = " ".join(str(file.path) for file in records.files)
        _say(f"incomplete: the time limit left cases out; go on with `resnet-bench run --resume {paths}`")
        return INCOMPLETE
    return OK


def _echo_path(what: str, path: Path) -> None:
    """Write where something is to stdout; a name may hold anything but a slash and NUL."""
    from results.formats import printable

    typer.echo(f"{what}{printable(str(path))}")


def _fail(message: str) -> int:
    _say(f"error: {message}" if len(message) <= LONGEST_MESSAGE else f"error: {message[:LONGEST_MESSAGE]}…")
    return BAD_INPUT


def _say(line: str) -> None:
    """Write one line for a person to stderr, whatever its parts contain."""
    from results.formats import printable

    sys.stderr.write(f"{printable(' '.join(line.split()))}\n")


def _settle_stdout() -> None:
    """Write what stdout still holds; where nobody can take it, let the interpreter's last flush succeed."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
