from msgspec import structs

from results.storage import reader
from tests.reports.sources import source_of


def test_runs_that_share_cases_are_told_apart(make_records, tmp_path):
    make_records(tmp_path, run_id="a")
    make_records(tmp_path, run_id="b", slowness=0.5)
    assert set(source_of(reader.load(tmp_path)).cases["machine"]) == {"AMD EPYC 9B14 · a", "AMD EPYC 9B14 · b"}


def test_runs_of_one_machine_that_share_no_case_are_one_side(make_case, make_record, make_run, write_run, tmp_path):
    for name, size in (("a", 1), ("b", 8)):
        case = make_case(batch_size=size)
        write_run(tmp_path, [make_record(case)], run=make_run(plan=[case], run_id=name))
    assert set(source_of(reader.load(tmp_path)).cases["machine"]) == {"AMD EPYC 9B14"}


def test_a_case_counts_as_the_study_says(make_case, make_record, make_equality, write_run, tmp_path):
    cases = [
        make_case(layout=layout, runtime=runtime) for layout in ("nchw", "nhwc") for runtime in ("eager", "compile")
    ]
    records = [
        make_record(cases[0]),
        make_record(cases[1], status="crash", cause="killed"),
        make_record(cases[2], equality=make_equality("wrong")),
        make_record(cases[3], equality=make_equality()),
    ]
    source = source_of(reader.load(write_run(tmp_path, records)))
    assert source.cases["usable"].tolist() == source.study.usable.tolist()
    assert dict(zip(source.cases["layout"] + source.cases["runtime"], source.cases["status"], strict=True)) == {
        "nchweager": "ok",
        "nchwcompile": "crash",
        "nhwceager": "wrong result",
        "nhwccompile": "ok",
    }


def test_versions_of_the_software_are_told_apart(make_record, make_run, write_run, tmp_path):
    for version in ("2.9.1", "2.14.1"):
        run = make_run(plan=[make_record().case], run_id=version)
        run = structs.replace(run, environment=structs.replace(run.environment, torch=version))
        write_run(tmp_path, [make_record()], run=run)
    sides = set(source_of(reader.load(tmp_path)).cases["machine"])
    assert sides == {"AMD EPYC 9B14 · torch 2.9.1", "AMD EPYC 9B14 · torch 2.14.1"}


def test_a_case_has_the_reference_of_its_run_where_nothing_but_the_model_differs(
    make_case, make_record, make_run, write_run, tmp_path
):
    for run, first in (("a", "resnet50"), ("b", "plain34")):
        models = [make_case(model=first), make_case(model="resnet18"), make_case(model="resnet18", batch_size=1)]
        cases = [*models, make_case(model=first, layout="nhwc")]
        write_run(tmp_path, [make_record(case) for case in cases], run=make_run(plan=cases, run_id=run))
    shown = source_of(reader.load(tmp_path)).cases
    references = [name if isinstance(name, str) else None for name in shown["reference"]]
    assert references == ["resnet50", "resnet50", None, None, "plain34", "plain34", None, None]
