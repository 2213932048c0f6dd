"""Parquet: the whole table with types, failed cases included, for pandas, DuckDB, Polars and Spark."""

import io
import json
from typing import Any, Final

from results.exporters.files import SINGLE, Files
from results.metrics.rows import plain
from results.metrics.table import table
from results.schema.metrics import BOUNDS, METRICS
from results.storage.reader import Records

_WHOLE: Final = ("batch_size", "image_size", "threads", "depth", "replicates", "failed_replicates")
_LISTS: Final = ("warnings", "notes")


def to_parquet(records: Records) -> Files:
    """Return all columns of `results.table` in base SI units; the same records give the same bytes.

    Text is string; metrics are double, those of whole numbers int64; ``warnings`` and ``notes`` are lists of
    strings; ``nulls`` is a map from column to reason, ``nulls['compile_s']`` in DuckDB. The metadata of the schema
    holds ``units`` (by column) and ``tool_versions`` (by run) as JSON, that of a field its ``unit``.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 (0.1 s that only this format needs)
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    frame = table(records)
    units: dict[str, str] = frame.attrs["units"]
    versions = {file.run.id: file.run.environment.tool_version for file in records.files}
    schema = pa.schema(
        [
            pa.field(name, _type(name), metadata={"unit": units[name]} if name in units else None)
            for name in frame.columns
        ],
        metadata={"units": json.dumps(units), "tool_versions": json.dumps(versions)},
    )
    rows = plain(frame)
    columns = [pa.array([_stored(row[field.name]) for row in rows], field.type) for field in schema]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), out)
    return Files(parts={SINGLE: out.getvalue()})


def _type(name: str) -> Any:
    """Return pyarrow's type of a column."""
    import pyarrow as pa  # noqa: PLC0415 (as above)

    if name in _WHOLE or (name in METRICS and METRICS[name].whole):
        return pa.int64()
    if name in METRICS or name in BOUNDS:
        return pa.float64()
    if name in _LISTS:
        return pa.list_(pa.string())
    return pa.map_(pa.string(), pa.string()) if name == "nulls" else pa.string()


def _stored(value: Any) -> Any:
    return list(value.items()) if isinstance(value, dict) else value
