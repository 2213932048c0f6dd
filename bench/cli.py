"""The command line: options in, a library call, output out.

The commands are in `bench.commands`. Everything heavy is imported inside the command that needs it, so that
``--help`` and ``list`` answer at once. Results go to stdout; progress, warnings and errors go to stderr. Bad input ends
with a line ``error: …`` and exit code 2. A crash of this program ends with a line and exit code 70, so that no gate
takes it for a verdict; ``RESNET_BENCH_TRACEBACK=1`` shows its traceback.
"""

# ruff: noqa: PLC0415 - see above: imports inside commands are what keeps --help fast

import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from bench.commands.ab import ab_command
from bench.commands.best import best_command
from bench.commands.compare import compare_command, history_command
from bench.commands.exchange import FormatCommand, export_command, import_command
from bench.commands.inspect import cost_command, doctor_command, list_command
from bench.commands.loader import loader_command
from bench.commands.options import BAD_INPUT, CRASHED, INTERRUPTED, OK, PIPE_CLOSED, say
from bench.commands.predict import predict_command
from bench.commands.profiling.fit import fit_command
from bench.commands.profiling.peaks import peaks_command
from bench.commands.profiling.profile import profile_command
from bench.commands.report import rank_command, report_command, table_command
from bench.commands.run import run_command
from bench.commands.train import degradation_command, train_command
from results.errors import InputError

TRACEBACK: Final = "RESNET_BENCH_TRACEBACK"
"""Environment variable with which a crash shows its traceback."""
LONGEST_MESSAGE: Final = 1000
"""The most characters of an error, which may quote any length of input."""

app = typer.Typer(
    help="Benchmark ResNets on PyTorch: latency, throughput, memory and cost, with the uncertainty of every number.",
    add_completion=False,
    rich_markup_mode=None,  # Rich would cost a third of the time that --help may take
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _resnet_bench(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from bench.machine.software import tool_version

        typer.echo(f"resnet-bench {tool_version()}")
        raise typer.Exit


app.command("run")(run_command)
app.command("best")(best_command)
app.command("train")(train_command)
app.command("degradation")(degradation_command)
app.command("predict")(predict_command)
app.command("list")(list_command)
app.command("cost")(cost_command)
app.command("table")(table_command)
app.command("rank")(rank_command)
app.command("compare")(compare_command)
app.command("history")(history_command)
app.command("ab")(ab_command)
app.command("doctor")(doctor_command)
app.command("loader")(loader_command)
app.command("profile")(profile_command)
app.command("peaks")(peaks_command)
app.command("fit")(fit_command)
app.command("report")(report_command)
app.command("export", cls=FormatCommand)(export_command)
app.command("import", cls=FormatCommand)(import_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code.

    Args:
        arguments: arguments in place of ``sys.argv[1:]``.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)  # a CI job that is cancelled ends as cleanly as with Ctrl-C
    if isinstance(sys.stdout, io.TextIOWrapper):  # characters that the locale's encoding lacks are escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = int(app(given or ["--help"], prog_name="resnet-bench", standalone_mode=False) or OK)
        sys.stdout.flush()
    except InputError as error:
        code = _fail(str(error))
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "")
        code = _fail(f"{message[:1].lower()}{message[1:].rstrip('.')}")
    except KeyboardInterrupt:
        say("interrupted")
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit):  # whoever read stdout has gone, as `head` does; typer makes it an exit with 1
        _settle_stdout()
        code = PIPE_CLOSED
    except OSError as error:
        _settle_stdout()
        code = _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001 - any other exception is a fault of this program
        _settle_stdout()
        code = _crash(error)
    return code


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _fail(message: str) -> int:
    say(f"error: {message}" if len(message) <= LONGEST_MESSAGE else f"error: {message[:LONGEST_MESSAGE]}…")
    return BAD_INPUT


def _crash(error: Exception) -> int:
    if os.environ.get(TRACEBACK):
        import traceback

        traceback.print_exception(error)
    what = " ".join(str(error).split())[:LONGEST_MESSAGE]
    say(f"crash: {type(error).__name__}: {what}; a fault of resnet-bench, set {TRACEBACK}=1 to see where it happened")
    return CRASHED


def _settle_stdout() -> None:
    """Flush stdout; where its reader is gone, let the interpreter's last flush succeed."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
