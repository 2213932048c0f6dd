import csv
import io
import json

import pytest

from reports.text.profiling.profile import profiles_text
from results.errors import InputError
from results.storage.reader import load
from results.storage.writer import Writer
from tests.conftest import _run
from tests.profiles import memory, peaks, probe, profile

FAILED = {"status": "error", "cause": "it broke", "operators": (), "profiled_s": None}


@pytest.fixture
def written(tmp_path):
    count = iter(range(9))

    def written(*bodies):
        with Writer.create(tmp_path, _run(id=f"run-{next(count)}", plan=(), suite="profile")) as writer:
            for body in bodies:
                writer.append(body)
            writer.end("complete")
        return load(writer.path).files[0]

    return written


@pytest.fixture
def whole(written):
    layers = ("conv1", "layer1.0.conv1", "layer2.0.conv1")
    faster = [probe(ratio=0.5, layers=layers, phase=phase) for phase in ("forward", "backward")]
    made = profile(task="training", probes=[*faster, probe("precision", "amp-bf16", 0.4)])
    return written(peaks(), made, memory(case=made.case))


def test_the_answer_comes_first(whole):
    first, second, third, *_ = profiles_text(whole, "table").splitlines()
    assert first == "resnet18/training/b1/224/cpu/fp32/eager/nchw/t2"
    assert "of which convolution takes" in second
    assert "at the roof it would take" in second
    assert third.startswith("most would help: ")


def test_the_sections_say_where_what_and_how_much(whole):
    text = profiles_text(whole, "table")
    for words in ("slowest layers", "of the roof", "slowest operators", "what would help", "layout nhwc",
                  "precision amp-bf16", "1.04 times as long", "peak memory: predicted 198.0 MB, measured 202.0 MB",
                  "in layer2.0.conv1 backward", "trace for Perfetto: resnet18.json.gz"):  # fmt: skip
        assert words in text


def test_without_peaks_the_roof_is_left_out(written):
    text = profiles_text(written(profile()), "table")
    assert "roof" not in text
    assert "slowest operators" in text


def test_layers_that_would_gain_most_stand_with_their_intervals(whole):
    lines = profiles_text(whole, "table").splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("layer ") and "interval" in line)
    assert "layout nhwc" in lines[head + 2] or "precision amp-bf16" in lines[head + 2]
    assert " to " in lines[head + 2]


def test_json_holds_profile_roof_layers_advice_and_memory(whole):
    (document,) = json.loads(profiles_text(whole, "json"))
    assert document["roof"]["mfu"] > 0
    assert document["layers"][0]["bound"] == "compute"
    assert {each["what"] for each in document["advice"]} >= {"layout", "ideal"}
    assert document["memory"]["peak_module"] == "layer2.0.conv1"


def test_csv_has_a_row_for_each_operator(whole):
    rows = list(csv.DictReader(io.StringIO(profiles_text(whole, "csv"))))
    (made,) = whole.bodies("profile")
    assert len(rows) == len(made.operators)
    assert {"name", "module", "phase", "self_s", "case"} <= rows[0].keys()


def test_markdown_has_tables(whole):
    assert "| class |" in profiles_text(whole, "markdown")


def test_a_failed_case_is_in_json_only(written):
    file = written(profile(**FAILED))
    assert json.loads(profiles_text(file, "json"))[0]["profile"]["cause"] == "it broke"
    assert profiles_text(file, "table") == ""
    assert "case" in profiles_text(file, "csv")


def test_an_unknown_format_is_refused(whole):
    with pytest.raises(InputError, match="format"):
        profiles_text(whole, "xml")
