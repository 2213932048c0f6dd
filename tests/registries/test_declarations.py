"""Declarations fit together: whoever forgets a part of an addition sees here which part is missing."""

import importlib.util
import pathlib
import re

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

from bench.suites import suite
from reports.chapters import CHAPTERS, FIGURES
from results.analysis.study import Study
from results.exporters import EXPORTERS
from results.importers import IMPORTERS
from results.metrics.table import COLUMNS
from results.schema.axes import AXES, BASELINE, SETTINGS
from results.schema.case import Case
from results.schema.labels import LAYOUTS, PROMISES, RUNTIMES, TASKS
from results.schema.lines.record import Agreement, Facts
from results.schema.metrics import BOUNDS, METRICS
from results.schema.units import UNITS
from results.storage.reader import load

_ROOT = pathlib.Path(__file__).parents[2]


def test_the_fields_of_a_case_are_the_axes():
    assert [field.name for field in fields(Case)] == list(AXES)


@pytest.mark.parametrize("name", AXES)
def test_an_axis_is_consistent(name):
    axis = AXES[name]
    assert bool(axis.choices) == (axis.kind == "word")
    assert axis.heading
    assert axis.help
    if axis.kind == "word":
        assert axis.default in axis.choices
    if axis.role == "setting":
        assert axis.baseline in axis.choices
        assert axis.default == axis.baseline


def test_two_cases_that_differ_on_an_axis_have_different_keys(make_case):
    other = {"name": "other", "count": 77}
    for name, axis in AXES.items():
        usual = getattr(make_case(), name)
        changed = next((choice for choice in axis.choices if choice != usual), other.get(axis.kind))
        case = make_case(**{name: changed})
        assert case.key != make_case().key, name
        assert (case.baseline == make_case().baseline) == (name in SETTINGS), name


def test_an_axis_that_a_case_has_by_default_has_the_default_of_its_declaration():
    """Run files of older versions have no value on a younger axis: they mean its default."""
    given = {field.name: field.default for field in fields(Case) if field.default is not NODEFAULT}
    assert given == {name: AXES[name].default for name in given}


def test_every_axis_is_a_column_and_every_setting_but_the_device_belongs_to_suites():
    assert set(AXES) <= set(COLUMNS)
    assert set(AXES) - {"device"} == set(suite.SUITE_AXES)
    assert set(BASELINE) == set(SETTINGS)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_unit_that_its_name_may_end_in(name):
    unit = UNITS[METRICS[name].unit]
    assert unit.scales
    assert not unit.suffix or name.endswith(f"_{unit.suffix}") or name == unit.suffix or METRICS[name].unit != "s"
    assert set(METRICS[name].bounds or ()) <= set(BOUNDS)


def test_every_metric_has_a_producer(tmp_path, write_run, make_record, make_case, make_static, make_equality):
    """Of cases that know all facts, some case has a value of every metric."""
    baseline = make_record(turns=400, noise=0.001, latency_s=0.1)
    facts = Facts(**(dict.fromkeys(Facts.__annotations__, 1) | {"compile_s": 10.0}))
    agreement = Agreement(network="a network", images=100, agreed=99, lost=1, gained=0, reference_correct=93)
    records = [baseline]
    for task in TASKS:
        case = make_case(task=task, runtime="compile")
        shape = {"turns": 400, "noise": 0.001, "baseline_latency_s": 0.1}
        records.append(make_record(case, **shape, equality=make_equality(), agreement=agreement, nulls={}, facts=facts))
    table = Study(load(write_run(tmp_path, records, [make_static()]))).table
    assert [name for name in METRICS if table[name].isna().all()] == []


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_has_an_engine(name):
    runtime = RUNTIMES[name]
    assert importlib.util.find_spec(f"bench.runtimes.{runtime.engine}"), runtime.engine
    assert set(runtime.tasks) <= set(TASKS)


def test_every_engine_runs_a_runtime():
    engines = {path.stem for path in (_ROOT / "bench" / "runtimes").glob("*.py")} - {"__init__"}
    assert engines == {runtime.engine for runtime in RUNTIMES.values()}


def test_labels_are_the_choices_of_their_axes():
    for name, declared in (("task", TASKS), ("precision", PROMISES), ("runtime", RUNTIMES), ("layout", LAYOUTS)):
        assert AXES[name].choices == tuple(declared)


def test_every_figure_belongs_to_a_chapter_and_every_chapter_has_one():
    assert all(chapter.title and chapter.lead and chapter.charts for chapter in CHAPTERS.values())
    assert len(FIGURES) == sum(len(chapter.charts) for chapter in CHAPTERS.values())


TIMM = {"timm_accuracy", "timm_files", "timm_names", "timm_rows"}
"""Parts of the importer of timm."""


def test_every_exporter_and_importer_is_in_its_registry():
    for folder, registry, shared in (
        ("exporters", EXPORTERS, {"benchmarks", "files"}),
        ("importers", IMPORTERS, {"reading", "rows", "writing", "benchmark_axes", *TIMM}),
    ):
        modules = {path.stem for path in (_ROOT / "results" / folder).glob("*.py")} - {"__init__"} - shared
        modules |= {path.parent.name for path in (_ROOT / "results" / folder).glob("*/__init__.py")}
        names = {re.sub("github_action_benchmark", "github_action", name.replace("-", "_")) for name in registry}
        assert modules == names


def test_every_module_of_the_chapters_is_in_the_registry():
    folder = _ROOT / "reports" / "chapters"
    modules = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/chapter.py")}
    assert modules - {"__init__", "chart"} == set(CHAPTERS)
