import pytest

import results
from bench.cli import main

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
    assert capsys.readouterr().err == "error: mine.csv: precision: the file's name does not tell it; give --precision\n"
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tim", NAME], "error: unknown format 'tim'; did you mean 'timm'? (choices: timm, pytest-benchmark, csv)"),
        (["timm", "none.csv"], "error: there is no file none.csv"),
        (["csv", NAME], f"error: {NAME} line 1: no column 'run'"),
        (["pytest-benchmark", NAME], f"error: {NAME}: not JSON: "),
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
