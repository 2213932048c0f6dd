import csv
import io
import json
import math

import pytest

import results
from results.metrics.rows import json_text, machine_name, plain, table_csv
from results.metrics.table import WHOLE


def test_rows_hold_only_what_json_knows(measured):
    rows = plain(results.table(measured))
    assert json.loads(json_text(rows)) == rows
    assert len(rows) == 4


def test_whole_numbers_are_whole_and_missing_values_are_none(measured):
    frame = results.table(measured)
    for row, (_, of_frame) in zip(plain(frame), frame.iterrows(), strict=True):
        for name, value in row.items():
            if name in WHOLE:
                assert value is None or type(value) is int
            if isinstance(of_frame[name], float) and math.isnan(of_frame[name]):
                assert value is None


def test_a_number_that_is_not_finite_is_no_json():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text([math.inf])


def test_the_csv_holds_every_column_of_every_row(measured):
    frame = results.table(measured)
    heads, *rows = csv.reader(io.StringIO(table_csv(frame)))
    assert heads == list(frame.columns)
    assert len(rows) == len(frame)


@pytest.mark.parametrize(
    ("accelerator", "cpu", "name"), [("H100", "EPYC", "H100"), (None, "EPYC", "EPYC"), (None, None, "unknown machine")]
)
def test_a_machine_is_named_by_its_accelerator_else_its_cpu(accelerator, cpu, name):
    assert machine_name({"accelerator": accelerator, "cpu": cpu}) == name
