"""Runs of one side, on a CPU or on an accelerator."""

import pytest

from results.storage import reader
from tests.reports.sources import LATENCIES


@pytest.fixture
def make_side(tmp_path, make_case, make_record, make_run, write_run):
    """A run of each model in `latencies`, in as many replicates, on a CPU or on an `accelerator`."""

    def make(name, latencies=LATENCIES, *, accelerator=None, replicates=3, turns=40, failed=(), **axes):
        records = []
        for model, latency_s in latencies.items():
            case = make_case(model=model, device="cuda:0" if accelerator else "cpu", **axes)
            for replicate in range(replicates):
                level = 1 + 0.002 * (replicate - 1)
                failure = {"status": "crash", "cause": "exit code 1"} if model in failed else {}
                records.append(
                    make_record(case, latency_s=level * latency_s, replicate=replicate, turns=turns, noise=0, **failure)
                )
        run = make_run(plan=dict.fromkeys(record.case for record in records), run_id=name, accelerator=accelerator)
        return reader.load(write_run(tmp_path, records, run=run))

    return make
