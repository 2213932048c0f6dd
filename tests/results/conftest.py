"""Records of one run in which everything occurs that exporters must tell apart."""

import pytest

import results


@pytest.fixture
def hostile():
    """A name of a model that is text in no format."""
    return "=e\"v'il\\n{}<b>|x, é"


@pytest.fixture
def measured(tmp_path, make_case, make_record, make_static, make_equality, write_run, hostile):
    """Records of a baseline in two processes, a compiled case of a hostile name, a failed and a wrong one."""
    records = [
        make_record(make_case()),
        make_record(make_case(), replicate=1),
        make_record(make_case(model=hostile, runtime="compile"), latency_s=0.03, baseline_latency_s=0.05),
        make_record(make_case(batch_size=4096), status="out-of-memory", cause="=1+1\n\x1b[31m"),
        make_record(make_case(precision="bf16"), equality=make_equality("wrong"), notes=("a \\ b", "c")),
    ]
    return results.load(write_run(tmp_path, records, [make_static()]))


@pytest.fixture
def two_runs(tmp_path, make_case, make_record, make_run, write_run):
    """A function: the records of two runs of the same case, whose environments it is given."""

    def of(first, second):
        for number, fields in enumerate((first, second)):
            run = make_run((make_case(),), f"run-{number}", **fields)
            write_run(tmp_path, [make_record(make_case(), latency_s=0.05 + number)], run=run)
        return results.load(tmp_path)

    return of


@pytest.fixture
def imported(tmp_path, make_case, make_run, write_run):
    """Records of a run that was imported: a summary in place of samples, and threads that nobody knows."""
    from results.schema.lines.record import Record, Summary  # noqa: PLC0415
    from results.schema.lines.run import Source  # noqa: PLC0415

    case = make_case(threads=None)
    summary = Summary(metrics={"latency_s": 0.04, "throughput_img_per_s": 200.0})
    record = Record(case=case, replicate=0, status="ok", started=None, duration_s=None, summary=summary)
    source = Source(format="timm", file="benchmark.csv", sha256="0" * 64)
    run = make_run((case,), started=None, settings=None, source=source)
    (tmp_path / "imported").mkdir()
    return results.load(write_run(tmp_path / "imported", [record], run=run))
