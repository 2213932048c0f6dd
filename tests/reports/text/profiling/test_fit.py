import csv
import io
import json

from reports.text.profiling.fit import answer_text, fits_text
from results.schema.lines.memory import BatchTrial, LargestBatch, PredictedBatch
from tests.conftest import _case
from tests.profiles import STARTED

GIGA = 10**9


def fit(**fields):
    """Thirty images of ResNet-18 in 2 GB."""
    usual = {
        "case": _case(model="resnet18", batch_size=30),
        "memory_bytes": 2 * GIGA,
        "process_bytes": GIGA // 10,
        "predicted_batch": 30,
        "predictions": (
            PredictedBatch(batch_size=1, peak_bytes=GIGA // 10),
            PredictedBatch(batch_size=30, peak_bytes=18 * GIGA // 10),
            PredictedBatch(batch_size=31, peak_bytes=2 * GIGA),
        ),
        "trials": (BatchTrial(batch_size=1, outcome="fits", peak_bytes=GIGA // 5, step_s=0.05),),
        "started": STARTED,
        "duration_s": 3.0,
    }
    return LargestBatch(**{**usual, **fields})


def test_the_answer_comes_first():
    first, second, *_ = fits_text([fit()], "table").splitlines()
    case = "resnet18/inference/224/cpu/fp32/eager/nchw/t2"
    assert first == f"batch 30 fits in 2 GB ({case}), predicted; --verify measures it"
    assert second.startswith("100 MB of it are no tensors")


def test_a_measured_batch_says_so():
    assert answer_text(fit(verified_batch=29)).endswith("measured; predicted was 30")


def test_where_nothing_fits_or_is_known_it_says_so():
    assert answer_text(fit(predicted_batch=None)).startswith("not a single image fits in 2 GB")
    unknown = answer_text(fit(predicted_batch=None, nulls={"predicted_batch": "not predicted: why"}))
    assert unknown.endswith("not predicted: why")


def test_the_table_has_predictions_and_trials():
    lines = [line.split() for line in fits_text([fit(notes=("a note",))], "table").splitlines()]
    assert ["1", "fits", "100", "200", "50.0"] in lines
    assert ["30", "should", "fit", "1,800", "-", "-"] in lines
    assert ["31", "should", "not", "fit", "2,000", "-", "-"] in lines


def test_json_and_csv_hold_everything():
    assert json.loads(fits_text([fit()], "json"))[0]["predicted_batch"] == 30
    rows = list(csv.DictReader(io.StringIO(fits_text([fit()], "csv"))))
    assert [row["batch_size"] for row in rows] == ["1", "30", "31"]


def test_growth_is_said_and_counts():
    text = fits_text([fit(growth=1.5)], "table")
    assert "for each further byte of tensors it grows by 1.50" in text
    assert "should fit" not in text
