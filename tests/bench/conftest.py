import pytest

import reports
from bench.cli import main
from bench.process.forkserver import ForkServer
from bench.schedule import run as runner
from results.storage import reader
from tests.bench.runs import Shared


@pytest.fixture
def call(capsys):
    """Run the command line in this process; gives exit code, stdout and stderr."""

    def call_main(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


@pytest.fixture
def run_file(tmp_path, make_case, make_record, make_static, write_run):
    cases = [make_case(batch_size=size) for size in (1, 8)]
    return write_run(tmp_path, [make_record(case) for case in cases], [make_static()])


@pytest.fixture
def measured(monkeypatch, tmp_path, write_run):
    """Let `run` give these records in place of measuring; gives what the command line asked for."""
    asked = {}

    def let(records, status="complete", raised=None):
        def run(suite, **arguments):
            asked.update(arguments, suite=suite)
            if raised is not None:
                raise raised
            return reader.load(write_run(tmp_path, records, status=status))

        monkeypatch.setattr(runner, "run", run)
        monkeypatch.setattr(runner, "resume", lambda path, **arguments: run(None, resume=path))
        monkeypatch.setattr(reports, "build", lambda _records, path: path)  # its own tests build pages
        return asked

    return let


@pytest.fixture(scope="module")
def torch_server():
    with ForkServer() as server:
        yield server


@pytest.fixture
def shared(torch_server, monkeypatch):
    """Let every run of a test use the fork server of its file; gives the server."""
    monkeypatch.setattr(runner, "ForkServer", lambda: Shared(torch_server))
    return torch_server
