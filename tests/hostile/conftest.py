"""What every hostile input is held to: an exit code, at most one line of error, clean output, and no file elsewhere."""

import contextlib
import dataclasses
import io
import json
import os
import re
import signal
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from bench.cli import main
from bench.measure.device import resolve
from bench.schedule import ab as arms
from bench.schedule import plan as plans
from bench.schedule import run as runner
from bench.suites.suite import Suite, custom_suite, expand
from bench.suites.values import change_settings
from results.errors import InputError
from results.schema.lines.run import End
from results.storage import lines, reader
from results.storage.writer import Writer

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
"""What steers a terminal or reorders its text: C0 (but tab and newline), DEL, C1, bidi, line separators, surrogates."""
LONGEST_ERROR = 1100
PATIENCE_S = 60
"""After which a command counts as waiting for what never comes, such as the other end of a pipe."""


@dataclasses.dataclass(frozen=True)
class Called:
    """What came of one command line."""

    code: int
    out: str
    err: str


def _call(*arguments: object) -> Called:
    """Run the command line in this process; anything but an exit code, any dirty output and any file fails the test."""
    before = _tree()
    called = _run(*arguments)
    assert _tree() == before
    return called


def _run(*arguments: object) -> Called:
    """The same for a command that may write into its folder."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    handler = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(PATIENCE_S)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
    called = Called(code, *(_written(stream) for stream in (out, err)))
    assert code in {0, 1, 2, 3}
    assert "Traceback" not in called.err
    assert not STEERING.search(called.out)
    assert not STEERING.search(called.err)
    if code == 2:
        assert called.out == ""
        assert re.fullmatch(r"(warning: .*\n)*error: .+\n", called.err)
        assert len(called.err.splitlines()[-1]) < LONGEST_ERROR
    return called


def _hangs(*_: object) -> None:
    raise AssertionError(f"no answer within {PATIENCE_S} s")


def _tree() -> dict[str, tuple[int, ...]]:
    """Every file in the test's folder and the one above, with its size and the time of its last change."""
    found = {}
    for folder, folders, files in os.walk(Path.cwd().parent):
        for name in (*folders, *files):
            status = os.lstat(Path(folder, name))
            found[str(Path(folder, name))] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()


def _refused(message: str, *arguments: object) -> None:
    """Run what must be refused with a line that holds `message`, and nothing else."""
    called = _call(*arguments)
    assert called.code == 2
    assert called.err.count("\n") == 1
    assert message in called.err


def _sealed(content: object) -> bytes:
    """A line of a run file that holds `content`, whatever it is, with its true checksum."""
    rest = (content if isinstance(content, bytes) else json.dumps(content).encode()).removeprefix(b"{")
    return b'{"crc32":"%08x",' % zlib.crc32(rest) + rest + b"\n"


def _content(line: bytes) -> dict:
    """The JSON of a line without its checksum."""
    content = json.loads(line)
    del content["crc32"]
    return content


@pytest.fixture(scope="session")
def call() -> Callable[..., Called]:
    return _call


@pytest.fixture(scope="session")
def call_writing() -> Callable[..., Called]:
    return _run


@pytest.fixture(scope="session")
def refused() -> Callable[..., None]:
    return _refused


@pytest.fixture(scope="session")
def sealed() -> Callable[[object], bytes]:
    return _sealed


@pytest.fixture
def run_lines(make_case, make_record, make_static, make_run) -> list[dict]:
    """The lines of a sound run file of three cases, as JSON: header, static cost, three records, end."""
    plan = (make_case(), make_case(layout="nhwc"), make_case(runtime="compile"))
    bodies = (
        make_run(plan=plan),
        make_static(),
        make_record(plan[0], turns=8),
        make_record(plan[1], turns=8, latency_s=0.04, baseline_latency_s=0.05, notes=("a note",)),
        make_record(plan[2], status="crash", cause="killed by SIGSEGV"),
        End(status="complete", records=3),
    )
    return [_content(lines.encode(number, body)) for number, body in enumerate(bodies, start=1)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """Work in a folder of the test's own; nothing may come to stand beside it."""
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    yield inside
    assert [entry.name for entry in tmp_path.iterdir()] == ["inside"]


@pytest.fixture
def unmeasured(monkeypatch, make_run):
    """Let `run` do everything but measure: it finds the device, plans, and writes or goes on with a run file."""
    environment = make_run().environment

    def plan(suite: Suite, *, device: str) -> plans.Plan:
        cases = expand(suite, device=resolve(device), threads=2)
        return plans.Plan(suite=suite.name, cases=cases, settings=suite.settings["cpu"], environment=environment)

    def run(suite, *, device, out, show):
        planned = plan(suite, device=device)
        fields = {"suite": planned.suite, "settings": planned.settings, "plan": planned.cases}
        return end(Writer.create(out, structs.replace(make_run(run_id="planned"), **fields)))

    def resume(path, *, show):
        return end(Writer.resume(path, started="2026-11-22T00:38:12Z", environment=environment)[0])

    def end(writer):
        with writer:
            writer.end("interrupted")
        return reader.load(writer.path)

    def ab(*sides, margin, device, out, show, **changes):
        change_settings(arms.PAIR_DEFAULTS, **changes)
        for side in sides:
            axes = {axis: [value] for axis, value in side.axes.items()}
            expand(custom_suite(axes), device=resolve(device), threads=2)
        raise InputError("both arms could be measured")

    monkeypatch.setattr(arms, "ab", ab)
    monkeypatch.setattr(runner, "plan", plan)
    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(runner, "resume", resume)


@pytest.fixture
def drawn(tmp_path, make_case, make_record, make_static, make_run):
    """Make records that hold these words everywhere; names too, which no run file may hold."""

    def make(name, word):
        baseline = make_case(model=name)
        cases = (
            baseline,
            structs.replace(baseline, layout="nhwc"),
            structs.replace(baseline, runtime="compile"),
        )
        records = (
            make_record(cases[0], turns=6, notes=(word,), nulls={"compile_s": word, "latency_p99_s": word}),
            make_record(cases[1], turns=6, latency_s=0.04, baseline_latency_s=0.05, notes=(word, name)),
            make_record(cases[2], status="error", cause=word),
        )
        run = make_run(plan=cases, suite=name, started=name)
        environment = structs.replace(
            run.environment, cpu=name, torch=name, os=name, variables={name: word}, nulls={name: word}
        )
        file = reader.RunFile(
            path=tmp_path / "run.jsonl",
            run=structs.replace(run, environment=environment),
            statics=(make_static(name, family=name, block=name, uncounted=(name,)),),
            records=records,
            complete=True,
            problems=(word,),
        )
        return reader.Records((file,))

    return make
