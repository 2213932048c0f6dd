import pytest

from results.errors import InputError
from results.importers import IMPORTERS, read
from results.importers.reading import Options

NAME = "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv"
TEXT = "model,infer_step_time,infer_batch_size,infer_img_size\nresnet50,100,8,224\n"


@pytest.fixture
def timm(tmp_path):
    path = tmp_path / NAME
    path.write_text(TEXT)
    return path


def test_the_formats_are_those_that_files_say_they_come_from(timm):
    assert list(IMPORTERS) == ["timm", "pytest-benchmark", "csv", "kineto"]
    assert read("timm", timm, Options(), print)[0].run.source.format == "timm"
    with pytest.raises(InputError, match=r"unknown format 'tim'; did you mean 'timm'\?"):
        read("tim", timm, Options(), print)


def test_an_option_that_says_nothing_about_the_format_is_refused(timm, tmp_path):
    with pytest.raises(InputError, match="--batch-size says nothing about a csv file; leave it out"):
        read("csv", timm, Options(axes={"batch_size": 1}), print)
    with pytest.raises(InputError, match="--accuracy says nothing about a pytest-benchmark file"):
        read("pytest-benchmark", timm, Options(accuracy=timm), print)
