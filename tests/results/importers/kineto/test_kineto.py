import gzip

import pytest

import reports
import results
from reports.text.profiling.profile import profiles_text
from results.importers.kineto import FORMAT
from results.importers.writing import import_files
from tests.traces import cpu_step, gpu_step, trace_bytes


@pytest.mark.parametrize("events", [gpu_step(), cpu_step()], ids=["gpu", "cpu"])
def test_a_trace_is_a_run_that_is_shown(tmp_path, events):
    path = tmp_path / "worker.pt.trace.json.gz"
    path.write_bytes(gzip.compress(trace_bytes(events, deviceProperties=[{"id": 0, "name": "A100"}])))
    (made,) = import_files(FORMAT, [path], tmp_path / "runs", tell=pytest.fail)
    records = results.load(made)
    assert records.problems == ()
    (file,) = records.files
    assert (file.complete, file.run.suite, file.run.source.file) == (True, FORMAT, path.name)
    (profile,) = file.bodies("profile")
    assert profile.case is None
    assert [card.name for card in file.run.environment.accelerators] == (["A100"] if profile.queued else [])
    assert "convolution" in profiles_text(file, "table")
    assert reports.build(records, tmp_path / "page.html").exists()


def test_events_that_are_left_out_are_told(tmp_path):
    less = {key: value for key, value in cpu_step()[1].items() if key != "dur"}
    path = tmp_path / "t.json"
    path.write_bytes(trace_bytes([*cpu_step(), less]))
    said = []
    import_files(FORMAT, [path], tmp_path / "runs", tell=said.append)
    assert said == [f"{path}: left out without a time or a duration: 1 events"]
