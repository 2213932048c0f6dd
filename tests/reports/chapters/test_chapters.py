import dataclasses

import pytest

from reports.chapters import CHAPTER_FOLDER, CHAPTERS, FIGURES
from reports.figures.chart import Chapter, all_cases
from reports.page import page
from results.storage import reader
from tests.loadings import loading
from tests.profiles import memory, peaks, profile
from tests.reports.sources import rare_records, source_of
from tests.searches import write_search
from tests.trainings import made_trainings, training_header, write_trainings


@pytest.fixture
def frame(make_records, tmp_path):
    return source_of(make_records(tmp_path)).cases


@pytest.fixture
def source(make_records, make_case, make_record, make_run, write_run, tmp_path):
    """What figures draw: three runs of one machine, for pairs and for a history, some trainings, and a profile."""
    for day in range(1, 4):
        make_records(tmp_path, run_id=f"day-{day}", slowness=1 + 0.1 * day, started=f"2026-11-0{day}T08:00:00Z")
    write_trainings(tmp_path, training_header(make_run), list(made_trainings(make_case, seeds=2)))
    write_trainings(
        tmp_path,
        make_run(run_id="profiles", plan=(), suite="profile"),
        [peaks(), profile(task="training"), memory(), loading()],
    )
    write_search(tmp_path)
    write_run(tmp_path, rare_records(make_case, make_record), run=make_run(run_id="rare", plan=()))
    return source_of(reader.load(tmp_path))


@pytest.mark.parametrize("name", FIGURES)
def test_every_view_draws_its_rows(name, source):
    chart = FIGURES[name]
    views = chart.views(source.frame(chart.frame))
    assert views
    assert len({view.label for view in views}) == len(views)
    for view in views:
        assert len(view.frame.drop_duplicates(list(chart.by))) == 1
        figure = chart.draw(view.frame)
        assert figure.data or figure.layout.annotations
        assert chart.takeaway(view.frame).endswith(".")


@pytest.mark.parametrize("name", FIGURES)
def test_a_single_row_is_enough(name, source):
    chart = FIGURES[name]
    row = chart.rows(source.frame(chart.frame)).head(1)
    assert len(row) == 1
    assert chart.draw(row).data
    assert chart.takeaway(row)


@pytest.mark.parametrize("name", FIGURES)
def test_no_rows_give_no_view(name, source):
    assert FIGURES[name].views(source.frame(FIGURES[name].frame).iloc[:0]) == ()


def test_where_all_failed_only_the_heat_map_and_the_counts_have_something_to_show(frame):
    failed = frame[frame["status"] != "ok"]
    of_cases = {name: chart for name, chart in FIGURES.items() if chart.frame is all_cases}
    assert {name for name, chart in of_cases.items() if chart.views(failed)} == {"speedups", "depth_macs"}


def test_a_case_that_failed_in_part_is_a_cross_and_nothing_else(frame):
    crashed = frame["runtime"].eq("compile")
    partly = frame.assign(status=frame["status"].mask(crashed, "crash"), usable=frame["usable"] & ~crashed)
    assert partly.loc[partly["status"].eq("crash"), "speedup"].notna().any()
    for name, chart in FIGURES.items():
        if chart.frame is not all_cases:
            continue
        assert name == "speedups" or set(chart.rows(partly)["status"]) <= {"ok"}
    heat, crosses = FIGURES["speedups"].draw(FIGURES["speedups"].views(partly)[0].frame).data
    crossed = set(zip(crosses.y, crosses.x, strict=True))
    valued = {
        (model, setting)
        for model, line in zip(heat.y, heat.z, strict=True)
        for setting, value in zip(heat.x, line, strict=True)
        if value is not None
    }
    assert ("resnet50", "fp32<br>compile<br>nchw") in crossed
    assert valued
    assert not crossed & valued


def test_every_template_of_a_chapter_lies_in_its_own_folder():
    for name, chapter in CHAPTERS.items():
        inserts = [chapter.intro, *(chart.still for chart in chapter.charts.values())]
        for insert in filter(None, inserts):
            assert insert.template.startswith(f"{name}/")
            assert (CHAPTER_FOLDER / insert.template).is_file()


def test_a_chapter_is_a_line_of_the_registry(make_records, tmp_path, monkeypatch):
    chart = dataclasses.replace(FIGURES["depth"], title="A figure of its own")
    chapter = Chapter(title="Thrown away", lead="A chapter of a test.", charts={"thrown_away": chart})
    monkeypatch.setitem(CHAPTERS, "test", chapter)
    monkeypatch.setitem(FIGURES, "thrown_away", chart)
    text = page.render(make_records(tmp_path))
    assert "<h2>Thrown away</h2>" in text
    assert 'id="chart-thrown_away"' in text
