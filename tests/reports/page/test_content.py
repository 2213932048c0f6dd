import pytest

from reports.chapters import FIGURES
from reports.page import page
from reports.page.content import content
from results.analysis.study import Study
from results.metrics import table as tables
from results.storage import reader


@pytest.fixture
def tables_made(monkeypatch):
    """The runs whose table was made, in order."""
    made = []
    columns = tables._columns

    def counted(run):
        made.append(run.file.run.id)
        return columns(run)

    monkeypatch.setattr(tables, "_columns", counted)
    return made


def test_a_page_uses_the_table_of_its_study(make_records, tmp_path, tables_made):
    study = Study(make_records(tmp_path))
    assert len(study.table)
    assert len(tables_made) == 1
    page.render(study)
    assert len(tables_made) == 1


def test_what_is_shown_does_not_change_the_table_of_the_study(make_records, tmp_path):
    study = Study(make_records(tmp_path))
    before, units = study.table.copy(), dict(study.table.attrs)
    content(study)
    assert study.table.equals(before)
    assert study.table.attrs == units


def test_every_figure_is_there_in_the_order_of_the_page(make_records, tmp_path):
    shown = content(Study(make_records(tmp_path)))
    assert [figure.name for figure in shown.figures] == list(FIGURES)
    assert shown.left_out == ""


def test_without_static_costs_their_figures_are_empty(make_record, write_run, tmp_path):
    shown = content(Study(reader.load(write_run(tmp_path, [make_record()]))))
    static = [figure for figure in shown.figures if figure.chart.needs == "static"]
    assert static
    assert all(figure.views == () for figure in static)
