"""The throw-away axis ``checkpointing`` is known everywhere. Runs in a copy: see tests/registries/test_recipes.py."""

import csv
import dataclasses
import io
import json

import pytest
import typer

import reports
import results
from bench import cli
from bench.suites import suite
from reports.page.commands import reproduce
from reports.style import views
from reports.text.comparison import comparison_text
from reports.text.findings import study_text
from results.exporters import EXPORTERS
from results.importers.reading import Options
from results.importers.writing import import_files

TIMM = "model,train_step_time,train_batch_size,train_img_size\nresnet50,100,32,224\n"
SAVED = {"benchmarks": [{"name": "resnet50", "stats": {"median": 0.1}}]}
AXES = {"task": "training", "batch_size": 32, "image_size": 224, "precision": "fp32", "runtime": "eager"}
FOREIGN = {
    "timm": ("benchmark-train-amp-nchw-pt240-cu124-rtx4090.csv", TIMM, Options()),
    "pytest-benchmark": ("saved.json", json.dumps(SAVED), Options(axes=AXES | {"layout": "nchw"}, device="cpu")),
}
"""A file of another program, which does not know the axis, by its format, with the options that it needs."""


@pytest.fixture
def path(tmp_path, write_run, make_case, make_record, make_static):
    """A run of a baseline, of the axis on, and of nhwc with the axis on."""
    cases = make_case(), make_case(checkpointing="on"), make_case(checkpointing="on", layout="nhwc")
    records = [
        make_record(case, latency_s=0.1 / gain, baseline_latency_s=None if gain == 1 else 0.1, noise=0.001)
        for case, gain in zip(cases, (1, 2, 4), strict=True)
    ]
    return write_run(tmp_path, records, [make_static()])


@pytest.fixture
def study(path):
    return results.Study(results.load(path))


@pytest.mark.parametrize("command", ["run", "ab", "import"])
def test_commands_have_an_option(command):
    options = typer.main.get_command(cli.app).commands[command].params
    assert "--checkpointing" in {name for option in options for name in option.opts}


def test_a_suite_multiplies_it_out():
    chosen = suite.choose(None, {"model": ["resnet18"], "checkpointing": ["off", "on"]}, {})
    cases = suite.expand(chosen, device="cpu", threads=2)
    assert [case.checkpointing for case in cases] == ["off", "on"]
    assert {case.baseline for case in cases} == {cases[0]}
    with pytest.raises(results.InputError, match="unknown checkpointing"):
        suite.choose(None, {"model": ["resnet18"], "checkpointing": ["of"]}, {})


def test_an_older_run_file_has_its_default(study, path):
    lines = path.read_text().replace('"checkpointing":"off",', "").splitlines()
    older = path.with_name("older.jsonl")
    older.write_text("".join(f"{line}\n" for line in map(_signed, lines)))
    records = results.load(older)
    assert not records.problems
    assert [record.case for record in records] == [record.case for record in study.records]


def _signed(line):
    import zlib  # noqa: PLC0415

    rest = line[len('{"crc32":"00000000",') :]
    return f'{{"crc32":"{zlib.crc32(rest.encode()):08x}",{rest}'


def test_people_read_it_in_table_pivot_and_findings(study):
    text = study_text(study, "table")
    heads = next(line for line in text.splitlines() if line.startswith("model"))
    assert "saving" in heads.split()
    assert "nchw on" in text
    assert "off → on ×2.00" in text


def test_programs_read_it(study):
    assert [row["checkpointing"] for row in json.loads(study_text(study, "json"))] == ["off", "on", "on"]
    rows = csv.DictReader(io.StringIO(study_text(study, "csv")))
    assert [row["checkpointing"] for row in rows] == ["off", "on", "on"]


def test_a_comparison_has_a_column(study, tmp_path, write_run, make_run):
    plan = [record.case for record in study.records]
    again = write_run(tmp_path, study.records, run=make_run(plan=plan, run_id="again"))
    assert "checkpointing" in comparison_text(results.compare(study.records, results.load(again)), "table")


def test_the_page_offers_it_and_reproduces_it(study, tmp_path):
    assert "checkpointing" in views.CONTEXT
    (file,) = study.records.files
    assert "--checkpointing off,on" in reproduce(file.run, file.records[-1].case)
    assert "saving" in reports.build(study.records, tmp_path / "page.html").read_text()


@pytest.mark.parametrize("fmt", ["csv", "pytest-benchmark"])
def test_what_is_exported_can_be_imported(study, tmp_path, fmt):
    (content,) = EXPORTERS[fmt](study).parts.values()
    file = tmp_path / f"exported.{fmt}"
    file.write_text(content)
    (path,) = import_files(fmt, [file], tmp_path / "imported", tell=pytest.fail)
    assert [record.case for record in results.load(path)] == [record.case for record in study.records]


@pytest.mark.parametrize("fmt", FOREIGN)
@pytest.mark.parametrize(("given", "value"), [({}, "off"), ({"checkpointing": "on"}, "on")])
def test_what_others_measured_has_its_default_or_what_the_option_says(tmp_path, fmt, given, value):
    name, content, options = FOREIGN[fmt]
    (tmp_path / name).write_text(content)
    options = dataclasses.replace(options, axes={**options.axes, **given})
    (path,) = import_files(fmt, [tmp_path / name], tmp_path / "imported", options, tell=pytest.fail)
    assert [record.case.checkpointing for record in results.load(path)] == [value]


def test_an_import_refuses_what_is_no_choice(tmp_path):
    name, content, _ = FOREIGN["timm"]
    (tmp_path / name).write_text(content)
    options = Options(axes={"checkpointing": "of"})
    with pytest.raises(results.InputError, match="unknown checkpointing 'of'"):
        import_files("timm", [tmp_path / name], tmp_path / "imported", options, tell=pytest.fail)
