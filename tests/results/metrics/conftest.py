"""Frames of records."""

import pytest

from results.metrics.table import table
from results.storage.reader import load


@pytest.fixture
def framed(tmp_path_factory, write_run):
    """Records to the frame, by way of a run file."""
    return lambda records, statics=(), **fields: table(
        load(write_run(tmp_path_factory.mktemp("runs"), records, statics, **fields))
    )
