import csv
import io
import json

from reports.text.profiling.diff import MOST_ROWS, diffs_text
from tests.profiles import profile

PAIRS = [(profile(task="training"), profile(task="training", scale=1.5))]


def test_the_difference_of_the_steps_comes_first_then_its_causes():
    name, step, heads, _, first, *_ = diffs_text(PAIRS, "table").splitlines()
    assert name == "resnet18/training/b1/224/cpu/fp32/eager/nchw/t2"
    assert step.endswith("ms more")
    assert heads.split() == ["layer", "phase", "class", "a", "ms", "b", "ms", "change", "ms", "of", "it",
                             "most", "changed", "operator,", "ms"]  # fmt: skip
    assert first.split()[:3] == ["layer1.0.conv1", "backward", "convolution"]
    assert first.split()[-2] == "aten::mkldnn_convolution_backward"
    assert float(first.split()[-1]) == float(first.split()[5])


def test_two_cases_are_named():
    text = diffs_text([(profile(), profile(task="training"))], "markdown")
    assert "a: resnet18/inference" in text
    assert "b: resnet18/training" in text


def test_json_and_csv_hold_every_row():
    (document,) = json.loads(diffs_text(PAIRS, "json"))
    rows = list(csv.DictReader(io.StringIO(diffs_text(PAIRS, "csv"))))
    assert len(document["rows"]) == len(rows) > MOST_ROWS / 2
    assert float(rows[0]["change_s"]) > 0
