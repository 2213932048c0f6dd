import csv
import io
import json

import pytest

from bench.cli import main
from reports.page import images
from results.errors import InputError
from tests.bench.calls import bad
from tests.trainings import made_trainings, training_header, write_trainings


@pytest.fixture
def drawn(monkeypatch):
    """Let nothing be drawn; gives the folder and format of what was asked for."""
    asked = []

    def write(figures, folder, form):
        asked.append((folder, form))
        return [folder / f"{name}.{form}" for name, _ in figures]

    monkeypatch.setattr(images, "write_images", write)
    return asked


@pytest.mark.parametrize(("options", "form"), [([], "png"), (["--figure-format", "svg"], "svg")])
def test_report_writes_the_figures_that_were_asked_for(capsys, run_file, drawn, tmp_path, options, form):
    page, folder = tmp_path / "page.html", tmp_path / "figures"
    assert main(["report", str(run_file), "-o", str(page), "--figures", str(folder), *options]) == 0
    out = capsys.readouterr().out.splitlines()
    assert drawn == [(folder, form)]
    assert out[0] == str(page)
    assert len(out) > 1
    assert all(line.startswith(f"{folder}/") and line.endswith(f".{form}") for line in out[1:])


def test_report_draws_no_images_of_its_own_accord(capsys, run_file, drawn, tmp_path):
    assert main(["report", str(run_file), "-o", str(tmp_path / "page.html")]) == 0
    assert drawn == []


def test_where_images_cannot_be_had_the_page_is_there_and_the_line_says_why(capsys, run_file, monkeypatch, tmp_path):
    def refuse(*_):
        raise InputError("images of figures need a browser")

    monkeypatch.setattr(images, "write_images", refuse)
    page = tmp_path / "page.html"
    assert main(["report", str(run_file), "-o", str(page), "--figures", str(tmp_path / "figures")]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (f"{page}\n", "error: images of figures need a browser\n")
    assert page.exists()


def test_a_format_that_there_is_not_is_bad_input(capsys, run_file):
    assert main(["report", str(run_file), "--figures", "figures", "--figure-format", "gif"]) == 2
    assert "'gif' is not one of 'png', 'svg'" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["json", "csv"])
def test_table_for_programs_is_alone_on_stdout(call, run_file, form):
    damaged = run_file.read_text().splitlines(keepends=True)
    run_file.write_text("".join([*damaged[:-2], "{}\n", damaged[-1]]))
    code, out, err = call("table", run_file, "--format", form)
    assert code == 0
    rows = json.loads(out) if form == "json" else list(csv.DictReader(io.StringIO(out)))
    assert [row["model"] for row in rows] == ["resnet50"]
    assert err.startswith(f"warning: {run_file} line ")


def test_table_for_people(call, run_file):
    code, out, err = call("table", run_file.parent)
    assert (code, err) == (0, "")
    assert out.count("resnet50") == 2
    assert call("table", run_file, "--format", "markdown")[1].count("| resnet50 |") == 2


def test_report_writes_a_page_and_says_where(call, run_file, tmp_path):
    code, out, err = call("report", run_file, "-o", tmp_path / "page.html")
    assert (code, out, err) == (0, f"{tmp_path / 'page.html'}\n", "")
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_a_page_that_cannot_be_written_is_one_line(call, run_file, tmp_path):
    assert "none/page.html" in bad(call("report", run_file, "-o", tmp_path / "none" / "page.html"))


@pytest.fixture
def several(tmp_path, write_run, make_record, make_case):
    """A run file of two models with six replicates."""
    made = [
        make_record(make_case(model=model), replicate=index, latency_s=latency_s * (1 + 0.01 * ((index * step) % 5)))
        for model, latency_s, step in (("resnet18", 0.02, 2), ("resnet50", 0.05, 3))
        for index in range(6)
    ]
    return write_run(tmp_path, made)


def test_rank_prints_the_order_and_what_is_shown(call, several):
    assert "1 of 1 pairs are shown to differ" in call("rank", str(several))[1]
    ranking, *_ = json.loads(call("rank", str(several), "--reference", "resnet18", "--format", "json")[1])
    assert ranking["reference"].startswith("resnet18/")
    assert [round(case["relative"], 1) for case in ranking["cases"]] == [1.0, 2.5]
    margin = json.loads(call("rank", str(several), "--margin", "90%", "--format", "json")[1])
    assert margin[0]["margin"] == 0.9


def test_rank_refuses_bad_input_in_a_line(call, several, tmp_path, write_run, make_record, make_case):
    assert "no case of resnet9 in" in bad(call("rank", str(several), "--reference", "resnet9"))
    assert "'x' is no fraction" in bad(call("rank", str(several), "--margin", "x"))
    (tmp_path / "failed").mkdir()
    failed = write_run(tmp_path / "failed", [make_record(make_case(), status="error", cause="it did")])
    assert "no case of these runs has a time that counts" in bad(call("rank", str(failed)))


@pytest.mark.parametrize("command", ["table", "report"])
def test_the_reference_can_be_named(call, several, tmp_path, command):
    assert "no case of resnet9 in" in bad(call(command, str(several), "--reference", "resnet9"))
    options = ["-o", str(tmp_path / "page.html")] if command == "report" else ["--format", "json"]
    _, said, _ = call(command, str(several), "--reference", "resnet18", *options)
    if command == "table":
        assert [round(row["relative"], 1) for row in json.loads(said)] == [1.0, 2.5]


@pytest.fixture
def trained(tmp_path, make_case, make_run):
    bodies = list(made_trainings(make_case, seeds=2))
    return write_trainings(tmp_path, training_header(make_run), bodies)


def test_the_table_of_trainings_has_a_row_a_recipe(call, trained, run_file):
    code, out, err = call("table", trained)
    assert (code, err) == (0, "")
    assert out.startswith("model            recipe")
    code, out, _ = call("table", trained, "--accuracy", "80%", "--format", "json")
    assert (code, json.loads(out)[0]["target"]) == (0, 0.8)


def test_cases_and_trainings_are_two_tables_and_for_programs_the_cases_only(call, trained, run_file):
    code, out, err = call("table", trained, run_file)
    assert (code, err) == (0, "")
    assert "recipe" in out
    assert "resnet50" in out
    code, out, err = call("table", trained, run_file, "--format", "json")
    assert code == 0
    assert all("recipe" not in row for row in json.loads(out))
    assert "trainings alone" in err


def test_an_accuracy_without_a_training_is_bad_input(call, run_file):
    code, _, err = call("table", run_file, "--accuracy", "90%")
    assert (code, err.count("\n")) == (2, 1)
