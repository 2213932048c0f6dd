import json

import pytest

from bench.cli import main
from tests.results.histories import make_history, spreads


@pytest.fixture
def call(capsys):
    """Run `history` in this process; gives exit code, stdout and stderr."""

    def call_main(*arguments):
        code = main(["history", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


@pytest.fixture
def runs(tmp_path, make_record, make_run, write_run):
    """A folder of ten run files, the last five 6 % slower."""
    latencies = [0.05 * noise * (1.06 if index >= 5 else 1) for index, noise in enumerate(spreads(10, spread=0.005))]
    for file in make_history(make_record, make_run, latencies).files:
        write_run(tmp_path / "runs", file.records, run=file.run)
    return tmp_path / "runs"


def test_a_regression_is_shown_and_never_gates(call, runs):
    code, out, err = call(runs)
    assert (code, err) == (0, "")
    assert out.startswith("1 change of level by more than 2 % in 1 series")
    assert "run-005" in out


def test_files_may_be_named_one_by_one_and_in_any_order(call, runs):
    assert call(*sorted(runs.iterdir(), reverse=True)) == call(runs)


@pytest.mark.parametrize("margin", ["10%", "0.1"])
def test_the_margin_is_asked_for(call, runs, margin):
    code, out, _ = call(runs, "--margin", margin)
    assert (code, out.splitlines()[0].partition(";")[0]) == (0, "no change of level by more than 10 % in 1 series")


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_every_form_is_there(call, runs, form):
    code, out, err = call(runs, "--format", form)
    assert (code, err) == (0, "")
    assert "run-005" in out


def test_json_is_the_only_thing_on_stdout(call, runs):
    (series,) = json.loads(call(runs, "--format", "json")[1])["series"]
    assert [change["run"] for change in series["changes"]] == ["run-005"]


@pytest.mark.parametrize("margin", ["0", "-1%", "100%", "much", "nan"])
def test_a_bad_margin_is_bad_input(call, runs, margin):
    code, out, err = call(runs, f"--margin={margin}")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_missing_file_is_bad_input(call, tmp_path):
    code, out, err = call(tmp_path / "none.jsonl")
    assert (code, out) == (2, "")
    assert "there is no file" in err


def test_help_says_that_it_is_advisory(call):
    code, out, _ = call("--help")
    assert code == 0
    assert "Advisory" in out
    assert "gates" in out
