import csv
import io
import json

import pytest

import results
from bench.cli import main
from results.analysis.study import Study
from results.exporters import EXPORTERS
from tests.traces import gpu_step, trace_bytes

NAME = "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv"
TEXT = """\
model,infer_step_time,infer_batch_size,infer_img_size,cooldown
resnet50,100,8,224,1
convnext_tiny,90,8,224,1
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).write_text(TEXT)
    return tmp_path


def test_a_file_becomes_a_run_file_that_the_others_read(capsys):
    assert main(["import", "timm", NAME]) == 0
    out, err = capsys.readouterr()
    (path,) = out.splitlines()
    assert path.startswith("runs/benchmark-infer-amp-nchw-pt240-cu124-rtx4090-")
    assert err == f"warning: {NAME}: columns that are not imported: 'cooldown'\n"
    assert [record.case.model for record in results.load(path)] == ["resnet50", "timm:convnext_tiny"]
    assert main(["table", path]) == 0
    assert "RTX 4090" in capsys.readouterr().out
    assert main(["export", "csv", path, "-o", "export.csv"]) == 0
    assert main(["import", "csv", "export.csv", "--out", "again"]) == 0
    before, after = (results.table(results.load(one)) for one in ("runs", "again"))
    assert before.equals(after)


def test_options_stand_in_for_what_the_file_does_not_tell(folder, capsys):
    (folder / NAME).rename("mine.csv")
    assert main(["import", "timm", "mine.csv"]) == 2
    assert capsys.readouterr().err == (
        "error: mine.csv: device, precision, runtime, layout: stated in neither the file's name nor its columns; give "
        "what holds for this file, in the form --device cpu --precision fp32 --runtime eager --layout nchw\n"
    )
    axes = ["--precision", "fp32", "--layout", "nchw", "--runtime", "eager", "--torch", "2.9"]
    device = ["--device", "NVIDIA H100", "--only-known", "--out", "elsewhere"]
    assert main(["import", "timm", "mine.csv", *axes, *device]) == 0
    frame = results.table(results.load("elsewhere"))
    assert frame[["model", "precision", "torch", "accelerator"]].to_numpy().tolist() == [
        ["resnet50", "fp32", "2.9", "NVIDIA H100"]
    ]


def test_accuracy_is_joined(folder):
    (folder / "results-imagenet.csv").write_text("model,img_size,top1\nresnet50.a1_in1k,224,80.22\n")
    assert main(["import", "timm", NAME, "--accuracy", "results-imagenet.csv"]) == 0
    assert results.table(results.load("runs"))["imagenet_top1"].tolist()[0] == pytest.approx(0.8022)


def test_accuracy_on_another_test_set_is_refused(folder, capsys):
    (folder / "results-imagenet-a.csv").write_text("model,img_size,top1,top1_diff\nresnet50.a1_in1k,224,2.98,-90\n")
    assert main(["import", "timm", NAME, "--accuracy", "results-imagenet-a.csv"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: results-imagenet-a.csv line 1: the column 'top1_diff' says ")
    assert err.endswith("--accuracy takes timm's results-imagenet.csv\n")
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["tim", NAME],
            "error: unknown format 'tim'; did you mean 'timm'? (choices: timm, pytest-benchmark, csv, kineto)",
        ),
        (["timm", "none.csv"], "error: there is no file none.csv"),
        (["csv", NAME], f"error: {NAME} line 1: no column 'run'"),
        (["pytest-benchmark", NAME], f"error: {NAME}: not JSON: "),
        (["kineto", NAME], f"error: {NAME}: not JSON: "),
        (["kineto", NAME, "--batch-size", "1"], "error: --batch-size says nothing about a kineto file; leave it out"),
        (["csv", NAME, "--device", "x"], "error: --device says nothing about a csv file; leave it out"),
        (["timm", NAME, "--precision", "fp64"], "error: unknown precision 'fp64'"),
        (["timm", NAME, "--batch-size", "0"], "error: batch_size: 0 should be a whole number >= 1"),
    ],
)
def test_errors_are_one_line_and_nothing_is_written(folder, capsys, arguments, message):
    assert main(["import", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(message)
    assert err.count("\n") == 1
    assert not (folder / "runs").exists()


def test_where_the_time_of_a_trace_goes_is_printed(folder, capsys):
    (folder / "mine.json").write_bytes(trace_bytes(gpu_step()))
    assert main(["import", "kineto", "mine.json"]) == 0
    out = capsys.readouterr().out
    assert "of which convolution takes 50%" in out
    assert "launch a kernel in 50% of its idle time" in out
    (path,) = (folder / "runs").glob("*.jsonl")
    assert main(["table", str(path)]) == 0
    assert main(["profile", "--diff", str(path), str(path)]) == 2
    assert "a file compared with itself needs two" in capsys.readouterr().err


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
    assert "is a run file; choose another path for the export" in capfd.readouterr().err
    assert run_file.read_bytes() == before


def test_an_unknown_format_is_told_before_anything_is_read(capfd):
    assert main(["export", "parket", "no-such-file"]) == 2
    assert capfd.readouterr().err.startswith("error: unknown format 'parket'; did you mean 'parquet'?")


def test_help_names_every_format(capfd):
    assert main(["export", "--help"]) == 0
    words = capfd.readouterr().out
    assert all(fmt in words for fmt in EXPORTERS)
