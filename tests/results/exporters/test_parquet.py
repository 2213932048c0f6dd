import dataclasses
import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import structs

import results
from results.analysis.study import Study
from results.exporters.parquet import to_parquet
from results.metrics.rows import plain
from results.schema.lines.record import Summary
from results.storage.reader import Records


def read(records):
    return pq.read_table(io.BytesIO(to_parquet(Study(records)).content()))


def test_pyarrow_reads_every_value_back(measured):
    rows = [{**row, "nulls": dict(row["nulls"])} for row in read(measured).to_pylist()]
    assert rows == plain(results.table(measured))


def test_columns_have_the_types_that_they_hold(measured):
    schema = read(measured).schema
    types = {
        "model": pa.string(),
        "cause": pa.string(),
        "latency_s": pa.float64(),
        "latency_low_s": pa.float64(),
        "break_even_steps": pa.float64(),
        "macs": pa.int64(),
        "peak_resident_bytes": pa.int64(),
        "threads": pa.int64(),
        "depth": pa.int64(),
        "notes": pa.list_(pa.string()),
        "nulls": pa.map_(pa.string(), pa.string()),
    }
    assert {name: schema.field(name).type for name in types} == types
    frame = results.table(measured)
    for field in schema:
        assert (field.metadata or {}).get(b"unit", b"").decode() == frame.attrs["units"].get(field.name, "")


def test_units_and_versions_are_in_the_metadata(measured):
    metadata = read(measured).schema.metadata
    assert json.loads(metadata[b"units"]) == results.table(measured).attrs["units"]
    assert json.loads(metadata[b"tool_versions"]) == {"20261122-003812-default-a1b2": "0.1.0"}


def test_pandas_reads_the_numbers_back_equal(measured):
    frame = results.table(measured)
    found = pd.read_parquet(io.BytesIO(to_parquet(Study(measured)).content()))
    numbers = frame.select_dtypes("float64").columns
    pd.testing.assert_frame_equal(found[numbers].astype("float64"), frame[numbers])
    assert found["model"].to_list() == frame["model"].to_list()
    assert dict(found["nulls"][3]) == frame["nulls"][3]
    assert list(found["notes"][2]) == list(frame["notes"][2])


def test_the_same_records_give_the_same_bytes(measured):
    assert to_parquet(Study(measured)).content() == to_parquet(Study(measured)).content()


def test_a_column_of_nulls_keeps_its_type(imported):
    found = read(imported)
    assert found.schema.field("threads").type == pa.int64()
    assert found["threads"].to_pylist() == [None]
    assert found.schema.field("speedup").type == pa.float64()


def test_a_whole_number_of_more_than_64_bits_is_null_with_its_reason(imported):
    (file,) = imported.files
    metrics = {"latency_s": 0.04, "parameters": 1e30, "macs": 2.0**53}
    record = structs.replace(file.records[0], summary=Summary(metrics=metrics))
    (row,) = read(Records((dataclasses.replace(file, records=(record,)),))).to_pylist()
    assert (row["parameters"], row["macs"], row["latency_s"]) == (None, 2**53, 0.04)
    assert "64 bits" in dict(row["nulls"])["parameters"]


def test_sizes_of_images_are_numbers_or_where_one_is_not_square_text(make_case, make_record, write_run, tmp_path):
    def column(*sizes):
        records = [make_record(make_case(image_size=size)) for size in sizes]
        study = Study(results.load(write_run(tmp_path / "-".join(map(str, sizes)), records)))
        return pq.read_table(io.BytesIO(to_parquet(study).content()))["image_size"]

    assert (column(224, 96).type, column(96, 32).to_pylist()) == (pa.int64(), [96, 32])
    assert (column(224, "96x64").type, column(96, "96x64").to_pylist()) == (pa.string(), ["96", "96x64"])
