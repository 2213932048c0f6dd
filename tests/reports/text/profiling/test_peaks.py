import csv
import io
import json

import pytest

from reports.text.profiling.peaks import bytes_text, peaks_text
from results.errors import InputError
from results.schema.lines.peaks import SheetFigure
from tests.profiles import around, peaks

SHEET = (SheetFigure(what="fp32", value=19.5e12, source="a data sheet"),)


def test_the_table_has_rates_bandwidths_and_latencies():
    text = peaks_text(peaks(), "table")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "cpu (Made-up CPU), 2 threads: medians of 3 repetitions in turns, ± half of their range"
    assert "matmul fp32 100 2.5 1024x1024" in lines
    assert "32 KiB 100 2.5 100 2.5" in lines
    assert "an operator on a single element takes the host 1.00 µs ± 0.025" in lines


def test_figures_of_the_manufacturer_stand_beside_the_measured_with_their_source():
    text = peaks_text(peaks(sheet=SHEET, launch_s=around(5e-6)), "markdown")
    assert "a data sheet" in text
    assert "19500" in text.replace(",", "")
    assert "from its launch to its end" in text


def test_json_and_csv_hold_every_figure():
    made = peaks(sheet=SHEET)
    assert json.loads(peaks_text(made, "json"))["compute"][0]["flops_per_s"] == list(made.compute[0].flops_per_s)
    rows = list(csv.DictReader(io.StringIO(peaks_text(made, "csv"))))
    assert len(rows) == len(made.compute) + len(made.bandwidths) + 1 + 1
    assert float(rows[0]["median"]) == 100e9


def test_an_unknown_format_is_refused():
    with pytest.raises(InputError, match="format"):
        peaks_text(peaks(), "xml")


def test_sizes_are_powers_of_two():
    assert [bytes_text(2**power) for power in (5, 15, 28, 31)] == ["32 B", "32 KiB", "256 MiB", "2 GiB"]
