import pytest
from msgspec import structs

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


def test_a_choice_of_views_offers_every_machine(make_case, make_record, make_run, write_run, tmp_path, monkeypatch):
    for machine, batches in {"A": (1, 2, 4, 8, 16, 32), "B": (3, 5), "C": (7,)}.items():
        records = [
            make_record(make_case(model=model, task="training", batch_size=batch))
            for batch in batches
            for model in ("resnet18", "resnet34")
        ]
        run = make_run(plan=[record.case for record in records], run_id=machine)
        run = structs.replace(run, environment=structs.replace(run.environment, cpu=machine))
        write_run(tmp_path, records, run=run)
    records = reader.load(tmp_path)
    monkeypatch.setattr("reports.page.selection.MOST_CASES", 1)
    monkeypatch.setattr("reports.page.selection._telling", list)
    monkeypatch.setattr("reports.page.content.FEW_VIEWS", 4)
    shown = {figure.name: figure for figure in content(Study(records)).figures}["training_throughput"]
    machines = [view.frame["machine"].iloc[0] for view in shown.views]
    assert sorted(machines) == ["A", "A", "B", "C"]
    assert shown.more == 5
