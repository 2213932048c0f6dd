"""Run files as earlier versions wrote them: `schemas` holds one of each schema, written by the code of its time."""

import json
import shutil
from pathlib import Path

import pytest

import results
from results.schema.lines.run import SCHEMA_VERSION
from results.storage.reader import load
from results.storage.writer import Writer

FOLDER = Path(__file__).with_name("schemas")
MEASURED = tuple(range(1, SCHEMA_VERSION))


def file_of(schema):
    return FOLDER / f"schema-{schema}.jsonl"


def test_there_is_a_file_of_each_schema():
    for schema in MEASURED:
        first = json.loads(file_of(schema).read_text().splitlines()[0])
        assert first["header" if schema < 4 else "body"]["schema"] == schema


@pytest.mark.parametrize("schema", MEASURED)
def test_an_older_file_is_read_whole(schema):
    (file,) = load(file_of(schema)).files
    assert file.problems == ()
    assert file.complete
    assert (file.run.id, file.run.schema) == (f"schema-{schema}", schema)
    assert [record.status for record in file.records] == ["ok", "ok", "crash"]
    assert tuple(file.cases()) == file.run.plan
    assert [static.model for static in file.statics] == ["cifar_resnet20"]
    assert file.bodies("resumed")[0].environment == file.run.environment


@pytest.mark.parametrize("schema", MEASURED)
def test_an_older_file_has_the_table_of_the_newest(schema):
    frame, newest = (results.table(load(file_of(version))) for version in (schema, MEASURED[-1]))
    columns = ["model", "layout", "status", "latency_s", "macs", "cause"]
    assert frame[columns].equals(newest[columns])
    # From schema 5 on a speed-up comes from all turns of a replicate, before from turns of the same rounds.
    assert frame["speedup"].tolist() == pytest.approx(newest["speedup"].tolist(), rel=0.01, nan_ok=True)
    assert frame["latency_s"].round(3).tolist()[:2] == [0.05, 0.04]


def test_what_a_schema_lacks_is_none():
    first, second = (load(file_of(schema)) for schema in (1, 2))
    assert first[1].equality is first[1].noise is None
    assert first.files[0].run.peaks == ()
    assert second[1].equality.verdict == "equal"
    assert second[1].noise.other_cpus == 0.1
    assert second.files[0].run.peaks[0].flops_per_s == 1e11


def test_before_schema_6_nothing_is_known_of_queues_and_of_the_memory_of_preparation():
    fifth = load(file_of(5))
    assert fifth[0].samples.queued == ()
    assert fifth[0].facts.peak_prepare_bytes is None
    assert results.table(fifth)["peak_prepare_bytes"].isna().all()


def test_an_imported_run_of_schema_3_is_read():
    (record,) = load(FOLDER / "schema-3-imported.jsonl")
    assert record.summary.metrics["latency_s"] == 0.04
    assert record.case.threads is None


@pytest.mark.parametrize("schema", MEASURED)
def test_an_older_run_that_was_interrupted_goes_on(tmp_path, schema):
    path = Path(shutil.copy(file_of(schema), tmp_path))
    *lines, _, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines))
    (whole,) = load(file_of(schema)).files
    writer, before = Writer.resume(path, started="2026-11-22T02:00:00Z", environment=whole.run.environment)
    assert before.records == whole.records[:2]
    with writer:
        writer.append(whole.records[2])
        writer.end("complete")
    (file,) = load(path).files
    assert file.problems == ()
    assert (file.records, file.complete) == (whole.records, True)
