"""Frames of records, and the metrics of a record as those of a run that holds it."""

import math
from pathlib import Path
from typing import NamedTuple

import pytest

from results.metrics.measured import MeasuredRun
from results.metrics.table import table
from results.metrics.values import ENDS
from results.schema.metrics import METRICS
from results.statistics.intervals import Interval
from results.storage.reader import RunFile, load


class Measured(NamedTuple):
    """The metrics of a record, None where they are null, the reasons of the nulls, and intervals within its process."""

    metrics: dict
    nulls: dict
    intervals: dict


@pytest.fixture
def framed(tmp_path_factory, write_run):
    """Records to the frame, by way of a run file."""
    return lambda records, statics=(), **fields: table(
        load(write_run(tmp_path_factory.mktemp("runs"), records, statics, **fields))
    )


@pytest.fixture
def run_of(make_run):
    """The measured run of some records."""

    def make(*records, static=None, arm=None, reference=None):
        run = make_run(plan=dict.fromkeys(record.case for record in records), arm=arm)
        statics = () if static is None else (static,)
        file = RunFile(path=Path("run.jsonl"), run=run, statics=statics, records=records, complete=True, problems=())
        return MeasuredRun(file, reference)

    return make


@pytest.fixture
def measure(run_of):
    def make(record, static=None, arm=None, *, others=()):
        measures = run_of(record, *others, static=static, arm=arm).measures
        known = {name: None if math.isnan(row[0]) else float(row[0]) for name, row in measures.values.items()}
        intervals = {name: Interval(*(known[end] for end in (name, *ends))) for name, ends in ENDS.items()}
        bounded = {name: interval for name, interval in intervals.items() if None not in (interval.low, interval.high)}
        return Measured({name: known[name] for name in METRICS}, measures.reasons[0], bounded)

    return make
