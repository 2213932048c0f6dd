"""The kill campaign at full size: `python -m tests.selftest lost`, some minutes."""

import pathlib
import tempfile
from collections.abc import Iterator

from tests.bench.kills import Campaign
from tests.selftest.rows import Row

KILLS = 200


def lost(*, quick: bool = False) -> Iterator[Row]:
    """Kill runs at random moments with SIGKILL, resume them, and look at what is left after each."""
    kills = KILLS // 10 if quick else KILLS
    with tempfile.TemporaryDirectory() as folder, Campaign(pathlib.Path(folder), seed=1) as runs:
        runs.kill(kills)
    yield Row(
        f"kill -9 of the parent at {runs.kills} random moments ({runs.early} before its file, {runs.torn} in a line)",
        f"{len(runs.faults)} faults{f', first: {runs.faults[0]}' if runs.faults else ''}",
        "0: no acknowledged record lost, the file opens, no process lives on",
        not runs.faults and runs.kills == kills,
    )
    yield Row(
        "these runs, resumed: each case and replicate once",
        f"{runs.finished} complete, {runs.records} records",
        f"{runs.started} complete, {runs.started * runs.planned} records",
        (runs.finished, runs.records) == (runs.started, runs.started * runs.planned),
    )
