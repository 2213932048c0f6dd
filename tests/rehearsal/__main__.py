"""Rehearse on a real device: `python -m tests.rehearsal [--device cuda:0]` (or `nox -s gpu-rehearsal`), ten minutes.

Runs the project's own code in steps (`tests.rehearsal.tables`; on the CPU they are scaled down), goes on after
failures, and ends with a table: number, bound, kept or broken, and published figures beside ours. Needs no nox,
plotly, network or package index; `--requirements` prints what a bare machine must be given. It changes no clock, power
limit or mode of the device. At most eight files are written into `--out`.
"""

import argparse
import contextlib
import datetime
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tests.rehearsal.carried import requirements
from tests.rehearsal.evidence import Evidence
from tests.rehearsal.running import ROOT, Outcome, run_all
from tests.rehearsal.tables.cpu import CPU
from tests.rehearsal.tables.gpu import GPU
from tests.rehearsal.tables.published import compared, write_figures
from tests.rehearsal.tables.steps import Step
from tests.rehearsal.verdicts import Verdict, as_json, exit_code, judge_step, write_table

FILES: Final = (
    *("log.txt", "facts.json", "physics.jsonl", "clocks.csv"),
    *("runs.tar.gz", "gpu-tests.txt", "traces.tar.gz", "verdicts.json"),
)
"""All that is written."""
LIMIT_S: Final = 600.0


def rehearse(
    steps: Sequence[Step], device: str, out: pathlib.Path, limit_s: float, identity: str = ""
) -> list[Verdict]:
    """Run the steps, write the files into the folder `out`, and return the verdicts."""
    for name in FILES:
        (out / name).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="resnet-bench-rehearsal-") as scratch:
        work = pathlib.Path(scratch)
        folders = {name: work / name for name in ("runs", "traces", "logs")}
        for folder in folders.values():
            folder.mkdir()
        fields = {"device": device, "identity": identity, "out": str(out)}
        fields |= {name: str(folders[name]) for name in ("runs", "traces")}
        with sampling(out / "clocks.csv", identity):
            outcomes = run_all(steps, fields, folders["logs"], limit_s=limit_s, show=shown(steps, out))
        pack(folders["runs"], "*/*.jsonl", out / "runs.tar.gz")
        pack(folders["traces"], "*.json", out / "traces.tar.gz")
        evidence = Evidence(out, folders["runs"])
        by_name = {step.name: step for step in steps}
        verdicts = [
            verdict for outcome in outcomes for verdict in judge_step(outcome, by_name[outcome.step].bounds, evidence)
        ]
        # The small table measures other networks: published figures are those of a GPU.
        figures = [] if device == "cpu" else compared(evidence)
    ended = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    text = as_json(verdicts, device=device, ended=ended, limit_s=limit_s, published=figures)
    (out / "verdicts.json").write_text(text, encoding="utf-8")
    if figures:
        write_figures(figures)
    write_table(verdicts)
    return verdicts


def shown(steps: Sequence[Step], out: pathlib.Path) -> Callable[[Outcome, str], None]:
    """Return a function that writes each outcome to the terminal, and its output to the log."""
    tests = {step.name for step in steps if "pytest" in step.argv}

    def show(outcome: Outcome, output: str) -> None:
        line = f"{outcome.step}: {outcome.state}, {outcome.seconds:.1f} s {outcome.reason}".rstrip()
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        text = f"==== {line}\n{output}\n"
        for path in (out / "log.txt", *([out / "gpu-tests.txt"] if outcome.step in tests else [])):
            with path.open("a", encoding="utf-8") as file:
                file.write(text)

    return show


@contextlib.contextmanager
def sampling(path: pathlib.Path, identity: str) -> Iterator[None]:
    """Let a process sample the clocks of the device into `path`, which ends when its stdin is closed."""
    command = [sys.executable, "-m", "tests.rehearsal.parts.sampler", str(path), identity]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def pack(folder: pathlib.Path, pattern: str, path: pathlib.Path) -> None:
    """Write the files of `folder` into an archive; an empty folder leaves none."""
    files = sorted(folder.glob(pattern))
    if files:
        with tarfile.open(path, "w:gz") as archive:
            for file in files:
                archive.add(file, arcname=str(file.relative_to(folder)))


def identified(device: str) -> tuple[str, str]:
    """Return the full name of a device, by default the first accelerator, and NVIDIA's UUID of it, which may be empty.

    Raises:
        LookupError: torch has no such device, or does not work.
    """
    command = [sys.executable, "-m", "tests.rehearsal.parts.which", *([device] if device else [])]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    if answer.returncode:
        raise LookupError(answer.stderr.strip().rpartition("\n")[2])
    name, _, identity = answer.stdout.strip().partition(" ")
    return name, identity


def main(arguments: list[str] | None = None) -> int:
    """Rehearse; return 0 if all bounds are kept, 1 if one is broken, 2 for bad input, 3 if one could not be judged."""
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description=__doc__)
    parser.add_argument("--device", help="cuda:0, or cpu for the small table [default: the first accelerator]")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("rehearsal"), help="folder of the files")
    parser.add_argument("--time-limit", type=float, default=LIMIT_S, metavar="SECONDS", help="of all steps together")
    parser.add_argument("--requirements", action="store_true", help="print the packages to carry to a bare machine")
    options = parser.parse_args(arguments)
    if options.requirements:
        sys.stdout.write(requirements())
        return 0
    if not options.time_limit > 0:  # nan is not
        parser.error("--time-limit must be more than 0 seconds")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        device, identity = identified(options.device or "")
    except (LookupError, OSError) as error:
        parser.error(str(error))
    if device != "cpu" and not device.startswith("cuda"):
        parser.error(f"the rehearsal knows cuda and cpu, not {device}; run `python -m nox -s gpu` there")
    signal.signal(signal.SIGTERM, interrupt)  # whoever ends the rehearsal still gets its files
    verdicts = rehearse(CPU if device == "cpu" else GPU, device, options.out.absolute(), options.time_limit, identity)
    return exit_code(verdicts)


def interrupt(*_: object) -> None:
    """Be Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
