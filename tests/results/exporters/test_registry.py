import pytest

from results.analysis.study import Study
from results.errors import InputError
from results.exporters import EXPORTERS, exporter


@pytest.mark.parametrize("fmt", EXPORTERS)
def test_the_same_records_give_the_same_content(measured, fmt):
    first, second = exporter(fmt)(Study(measured)), exporter(fmt)(Study(measured))
    assert first == second
    assert all(first.content(part) for part in first.parts)


@pytest.mark.parametrize("fmt", EXPORTERS)
def test_imported_runs_go_out_in_every_format(imported, fmt):
    assert exporter(fmt)(Study(imported)).parts


@pytest.mark.parametrize("fmt", EXPORTERS)
def test_only_whole_tables_hold_failures(measured, fmt):
    assert bool(exporter(fmt)(Study(measured)).left_out) == (fmt not in {"csv", "parquet"})


def test_an_unknown_format_names_the_near_one():
    with pytest.raises(InputError, match="unknown format 'benchr'; did you mean 'bencher'"):
        exporter("benchr")
