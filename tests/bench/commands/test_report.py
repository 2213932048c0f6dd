import pytest

from bench.cli import main
from reports.page import images
from results.errors import InputError


@pytest.fixture
def run_file(tmp_path, make_record, make_static, write_run):
    return write_run(tmp_path, [make_record()], [make_static()])


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
