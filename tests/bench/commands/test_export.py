import csv
import io
import json

import pytest

from bench.cli import main
from results.analysis.study import Study
from results.exporters import EXPORTERS


@pytest.fixture
def run_file(tmp_path, make_case, make_record, write_run):
    failed = make_record(make_case(batch_size=4096), status="out-of-memory", cause="no memory")
    return write_run(tmp_path, [make_record(), failed])


@pytest.mark.parametrize("fmt", sorted(EXPORTERS.keys() - {"parquet", "github-action-benchmark"}))
def test_text_goes_to_stdout_and_what_is_missing_to_stderr(run_file, capfd, fmt):
    assert main(["export", fmt, str(run_file)]) == 0
    out, err = capfd.readouterr()
    assert out == EXPORTERS[fmt](Study(load(run_file))).content().decode()
    left_out = "1 of 2 cases left out: they failed, gave a wrong result or have no value\n"
    assert err == ("" if fmt == "csv" else left_out)


def load(path):
    import results  # noqa: PLC0415

    return results.load(path)


def test_a_dash_is_stdout(run_file, capfd):
    assert main(["export", "csv", str(run_file), "-o", "-"]) == 0
    assert len(list(csv.DictReader(io.StringIO(capfd.readouterr().out)))) == 2


@pytest.mark.parametrize("fmt", ["parquet", "github-action-benchmark"])
def test_what_is_no_single_text_needs_a_file(run_file, capfd, fmt):
    assert main(["export", fmt, str(run_file)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == f"error: {fmt} does not go to stdout; name the file to write with -o"


def test_a_file_is_written_and_named(run_file, tmp_path, capfd):
    output = tmp_path / "out.parquet"
    assert main(["export", "parquet", str(run_file), "-o", str(output)]) == 0
    assert capfd.readouterr().out == f"{output}\n"
    assert output.read_bytes().startswith(b"PAR1")


def test_two_files_share_a_stem(run_file, tmp_path, capfd):
    assert main(["export", "github-action-benchmark", str(run_file), "-o", str(tmp_path / "out.json")]) == 0
    paths = [tmp_path / "out-bigger.json", tmp_path / "out-smaller.json"]
    assert capfd.readouterr().out.splitlines() == [str(path) for path in paths]
    assert all(json.loads(path.read_bytes()) for path in paths)


def test_a_run_file_is_not_overwritten(run_file, capfd):
    before = run_file.read_bytes()
    assert main(["export", "csv", str(run_file), "-o", str(run_file)]) == 2
    assert "is the place of a run file; choose another path for the export" in capfd.readouterr().err
    assert run_file.read_bytes() == before


def test_an_unknown_format_is_told_before_anything_is_read(capfd):
    assert main(["export", "parket", "no-such-file"]) == 2
    assert capfd.readouterr().err.startswith("error: unknown format 'parket'; did you mean 'parquet'?")


def test_help_names_every_format(capfd):
    assert main(["export", "--help"]) == 0
    words = capfd.readouterr().out
    assert all(fmt in words for fmt in EXPORTERS)
