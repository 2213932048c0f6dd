import pytest

import results
from results.errors import InputError
from results.importers import IMPORTERS, read
from results.importers.reading import Options
from results.importers.writing import import_files

NAME = "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv"
TEXT = "model,infer_step_time,infer_batch_size,infer_img_size\nresnet50,100,8,224\n"


@pytest.fixture
def timm(tmp_path):
    path = tmp_path / NAME
    path.write_text(TEXT)
    return path


def test_the_formats_are_those_that_files_say_they_come_from(timm):
    assert list(IMPORTERS) == ["timm", "pytest-benchmark", "csv"]
    assert read("timm", timm, Options(), print)[0].run.source.format == "timm"
    with pytest.raises(InputError, match=r"unknown format 'tim'; did you mean 'timm'\?"):
        read("tim", timm, Options(), print)


def test_an_option_that_says_nothing_about_the_format_is_refused(timm, tmp_path):
    with pytest.raises(InputError, match="--batch-size says nothing about a csv file; leave it out"):
        read("csv", timm, Options(axes={"batch_size": 1}), print)
    with pytest.raises(InputError, match="--accuracy says nothing about a pytest-benchmark file"):
        read("pytest-benchmark", timm, Options(accuracy=timm), print)


def test_a_run_file_that_is_there_is_kept(timm, tmp_path):
    out = tmp_path / "runs"
    (path,) = import_files("timm", [timm], out, tell=print)
    assert path.parent == out
    assert results.load(path)[0].case.model == "resnet50"
    before = path.read_bytes()
    other = tmp_path / NAME.replace("4090", "3090")
    other.write_text(TEXT)
    with pytest.raises(InputError, match=r"is there already; choose another folder with --out"):
        import_files("timm", [other, timm], out, tell=print)
    assert path.read_bytes() == before
    assert list(out.iterdir()) == [path]  # neither the other file nor half of it


def test_the_same_file_twice_is_refused(timm, tmp_path):
    with pytest.raises(InputError, match="was imported from another file; give only one"):
        import_files("timm", [timm, timm], tmp_path / "runs", tell=print)
    assert not (tmp_path / "runs").exists()


def test_one_wrong_file_keeps_all_from_being_written(timm, tmp_path):
    wrong = tmp_path / NAME.replace("4090", "3090")
    wrong.write_text(TEXT.replace("100", "-100"))
    with pytest.raises(InputError, match="line 2, infer_step_time"):
        import_files("timm", [timm, wrong], tmp_path / "runs", tell=print)
    assert not (tmp_path / "runs").exists()


def test_a_file_that_another_program_is_making_is_left_alone(timm, tmp_path):
    (path,) = import_files("timm", [timm], tmp_path / "elsewhere", tell=print)
    out = tmp_path / "runs"
    out.mkdir()
    half = out / f"{path.name}.new"
    half.write_text("someone else's")
    with pytest.raises(InputError, match="cannot write"):
        import_files("timm", [timm], out, tell=print)
    assert list(out.iterdir()) == [half]
    assert half.read_text() == "someone else's"


def test_a_folder_that_cannot_be_made_is_one_line(timm):
    with pytest.raises(InputError, match=r"cannot write .*; choose another folder with --out"):
        import_files("timm", [timm], timm, tell=print)


def test_a_run_is_written_as_its_writer_would(timm, tmp_path):
    (path,) = import_files("timm", [timm], tmp_path / "runs", tell=print)
    records = results.load(path)
    assert records.problems == ()
    assert records.files[0].complete
    assert records.files[0].run.plan == (records[0].case,)
