import csv
import io
import json

import pytest

from bench.cli import main
from reports.page import images
from results.errors import InputError
from tests.bench.calls import bad


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
