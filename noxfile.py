# /// script
# dependencies = ["nox"]
# ///
"""Every task of the project: `python -m nox -s bench` measures, `python -m nox -s tests` tests.

torch takes gigabytes, so all sessions share one environment, `.venv`, which the session `setup` makes; the others
require it and run in it without one of their own.
"""

import hashlib
import pathlib
import sys

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests"]

VENV = pathlib.Path(".venv").absolute()
PYTHON = str(VENV / "bin" / "python")
STAMP = VENV / "installed"


@nox.session
def setup(session: nox.Session) -> None:
    """Make the environment that all sessions share, or do nothing where it is up to date."""
    wanted = hashlib.sha256(pathlib.Path("pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    if not pathlib.Path(PYTHON).exists():
        session.run(sys.executable, "-m", "venv", "--clear", str(VENV))
    session.log("installing torch and the rest: several GB, some minutes, once")
    session.run(PYTHON, "-m", "pip", "install", "--quiet", "--editable", ".[dev]")
    STAMP.write_text(wanted)


@nox.session(requires=["setup"])
def bench(session: nox.Session) -> None:
    """Measure the default suite: a table, a run file and a page. Arguments go to `resnet-bench run`."""
    # 3 is a run whose time limit left cases out, and says so. Ctrl-C gets the time that a clean end takes.
    command = [PYTHON, "-m", "bench", "run", *session.posargs]
    session.run(*command, success_codes=[0, 3], interrupt_timeout=60, terminate_timeout=30)


@nox.session(requires=["setup"])
def tests(session: nox.Session) -> None:
    """Run the tests, a process a core. Arguments go to pytest."""
    session.run(
        PYTHON, "-m", "pytest", "--numprocesses=logical", "--maxprocesses=4", "--dist=loadfile", *session.posargs
    )


@nox.session(requires=["setup"])
def lint(session: nox.Session) -> None:
    """Check style, formatting, the imports between rooms, and the rules of the house: sizes, names, a test a module."""
    session.run(PYTHON, "-m", "ruff", "check")
    session.run(PYTHON, "-m", "ruff", "format", "--check")
    session.run(str(VENV / "bin" / "lint-imports"))
    session.run(PYTHON, "-m", "pytest", "--quiet", "tests/test_house.py")


@nox.session(requires=["setup"])
def types(session: nox.Session) -> None:
    """Check the types of the four packages."""
    session.run(PYTHON, "-m", "mypy")


@nox.session(requires=["setup"])
def micro(session: nox.Session) -> None:
    """Time single blocks with pytest-benchmark. Arguments go to pytest."""
    session.run(PYTHON, "-m", "pytest", "tests/micro/micro_blocks.py", *session.posargs)


@nox.session(requires=["setup"])
def report(session: nox.Session) -> None:
    """Make the page of all runs. Arguments go to `resnet-bench report`."""
    session.run(PYTHON, "-m", "bench", "report", *(session.posargs or ["runs"]))


@nox.session(requires=["setup"])
def gpu(session: nox.Session) -> None:
    """Run the tests that need an accelerator; each is skipped, with its reason, where there is none."""
    session.run(PYTHON, "-m", "pytest", "-m", "gpu", *session.posargs)


@nox.session(requires=["setup"], name="gpu-rehearsal")
def gpu_rehearsal(session: nox.Session) -> None:
    """Go through all that needs a GPU in ten minutes: files and a table of bounds. Arguments as `--device cpu`."""
    # The files are written after an interruption too.
    command = [PYTHON, "-m", "tests.rehearsal", *session.posargs]
    session.run(*command, interrupt_timeout=60, terminate_timeout=30)


@nox.session(requires=["setup"])
def browser(session: nox.Session) -> None:
    """Use the page in a Chromium of this machine; each test is skipped, with its reason, where there is none."""
    session.run(PYTHON, "-m", "pytest", "tests/reports/browser", *session.posargs)


@nox.session(requires=["setup"], name="bench-self")
def bench_self(session: nox.Session) -> None:
    """Measure the measuring, some minutes. Arguments after `--`: names of rows, `--write` into docs, `--device`."""
    session.run(PYTHON, "-m", "tests.selftest.selfbench", *session.posargs)


@nox.session(requires=["setup"])
def selftest(session: nox.Session) -> None:
    """Prove the statistics and the promises, some minutes; arguments as for bench-self, and `--quick`."""
    session.run(PYTHON, "-m", "tests.selftest", *session.posargs)


@nox.session(requires=["setup"])
def scale(session: nox.Session) -> None:
    """Time 10,000 and 100,000 records against the promises, some minutes; arguments as for bench-self."""
    session.run(PYTHON, "-m", "tests.scale", *session.posargs)
