"""Parquet: the whole table with types, failed cases included, for pandas, DuckDB, Polars and Spark."""

import io
import json
from collections.abc import Sequence
from typing import Any, Final

from results.analysis.study import Study
from results.exporters.files import SINGLE, Files
from results.metrics.rows import Row, plain
from results.metrics.table import WHOLE, size_type
from results.schema.axes import SIZES
from results.schema.metrics import BOUNDS, METRICS

_LISTS: Final = ("warnings", "notes")
_MOST: Final = 2**63 - 1
"""The largest number of an int64."""
_TOO_LARGE: Final = "too large for a whole number of 64 bits, as Parquet stores it"


def to_parquet(study: Study) -> Files:
    """Return all columns of `results.table` in base SI units; the same runs give the same bytes.

    Text is string; metrics are double, those of whole numbers int64; ``image_size`` is int64, or string where an image
    is not square; ``warnings`` and ``notes`` are lists of strings; ``nulls`` is a map from column to reason,
    ``nulls['compile_s']`` in DuckDB. The metadata of the schema holds ``units`` (by column) and ``tool_versions`` (by
    run) as JSON, that of a field its ``unit``.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 (0.1 s that only this format needs)
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    oblong = [name for name in SIZES if size_type(study.table[name]) == "object"]
    frame = study.table.astype(dict.fromkeys(oblong, "str"))
    whole = {*WHOLE, *SIZES}.difference(oblong)
    units: dict[str, str] = frame.attrs["units"]
    versions = {file.run.id: file.run.environment.tool_version for file in study.records.files}
    schema = pa.schema(
        [
            pa.field(name, _type(name, name in whole), metadata={"unit": units[name]} if name in units else None)
            for name in frame.columns
        ],
        metadata={"units": json.dumps(units), "tool_versions": json.dumps(versions)},
    )
    rows = _bounded(plain(frame), [field.name for field in schema if field.type == pa.int64()])
    columns = [pa.array([_stored(row[field.name]) for row in rows], field.type) for field in schema]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), out)
    return Files(parts={SINGLE: out.getvalue()})


def _type(name: str, whole: bool) -> Any:
    """Return pyarrow's type of a column."""
    import pyarrow as pa  # noqa: PLC0415 (as above)

    if whole:
        return pa.int64()
    if name in METRICS or name in BOUNDS:
        return pa.float64()
    if name in _LISTS:
        return pa.list_(pa.string())
    return pa.map_(pa.string(), pa.string()) if name == "nulls" else pa.string()


def _bounded(rows: Sequence[Row], whole: Sequence[str]) -> list[Row]:
    """Return the rows, in which whole numbers that 64 bits cannot hold (an import may hold them) are null."""
    bounded = []
    for row in rows:
        large = [name for name in whole if row[name] is not None and abs(row[name]) > _MOST]
        nulls = row["nulls"] | dict.fromkeys(large, _TOO_LARGE)
        bounded.append(row | dict.fromkeys(large) | {"nulls": nulls} if large else row)
    return bounded


def _stored(value: Any) -> Any:
    return list(value.items()) if isinstance(value, dict) else value
