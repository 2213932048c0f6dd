"""Run files over time, for tests of `results.analysis.history` and of what shows it."""

import datetime
import random
from pathlib import Path

from msgspec import structs

from results.storage.reader import Records, RunFile

REPLICATES = 3


def spreads(count, *, spread=0.01, seed=1):
    """Return factors of noise, one a run."""
    rng = random.Random(seed)
    return [rng.lognormvariate(0, spread) for _ in range(count)]


def make_history(make_record, make_run, latencies, *, cases=None, each=None):
    """Return the records of a run of 3 replicates every third day, one for each latency in seconds.

    `each` gives for a run's index what is replaced: fields of its ``run``, its ``environment`` and its ``record``s.
    """
    files = []
    for index, latency_s in enumerate(latencies):
        fields = each(index) if each else {}
        records = [
            make_record(
                case,
                **{"latency_s": latency_s * (0.999, 1.0, 1.001)[replicate], "noise": 0.001}
                | {"replicate": replicate, "turns": 8}
                | fields.get("record", {}),
            )
            for case in (cases or [None])
            for replicate in range(REPLICATES)
        ]
        run = make_run(plan=dict.fromkeys(record.case for record in records), run_id=f"run-{index:03}")
        date = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=3 * index)
        run = structs.replace(
            run,
            **{"started": date.strftime("%Y-%m-%dT%H:%M:%SZ")}
            | {"settings": structs.replace(run.settings, replicates=REPLICATES)}
            | {"environment": structs.replace(run.environment, **fields.get("environment", {}))}
            | fields.get("run", {}),
        )
        path = Path(f"{run.id}.jsonl")
        files.append(RunFile(path=path, run=run, statics=(), records=tuple(records), complete=True, problems=()))
    return Records(tuple(files))
