import pytest

from reports.chapters.speedups.preparation import of_preparation, preparation_bars, prepared
from tests.reports.sources import case_frame


@pytest.fixture
def frame():
    rows = case_frame(
        {"compile_s": float("nan"), "warm_compile_s": float("nan"), "usable": True},
        {"compile_s": 20.0, "warm_compile_s": 5.0, "usable": True, "runtime": "compile"},
        {"compile_s": 3.0, "warm_compile_s": float("nan"), "usable": True, "runtime": "openvino"},
    )
    return prepared(rows)


def test_each_prepared_case_has_a_bar_a_kind_of_process(frame):
    figure = preparation_bars(frame)
    assert [(trace.name, list(trace.x)) for trace in figure.data] == [("cold", [3.0, 20.0]), ("warm", [5.0])]


def test_the_sentence_names_the_longest_and_the_shortest(frame):
    said = of_preparation(frame).replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("resnet50 fp32 compile nchw takes 20.0 s to prepare, 5.00 s from the artefacts")
    assert said.endswith("resnet50 fp32 openvino nchw takes 3.00 s.")


def test_a_single_case_is_a_sentence_too(frame):
    said = of_preparation(frame[frame["runtime"].eq("openvino")]).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "resnet50 fp32 openvino nchw takes 3.00 s to prepare."
