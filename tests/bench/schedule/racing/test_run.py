import dataclasses

import pytest

from bench.schedule.racing.run import find_best
from bench.schedule.run import Interrupted, resume
from results.errors import InputError
from results.storage.reader import load
from tests.bench.schedule.racing.searched import REQUEST, search_with


def test_a_search_that_is_interrupted_keeps_its_records_and_cannot_go_on(monkeypatch, tmp_path):
    turns = iter(range(10_000))

    def script(verb, case, server):
        if verb == "turn" and next(turns) > 60:
            raise KeyboardInterrupt

    search_with(monkeypatch, script=script)
    with pytest.raises(Interrupted) as stopped:
        find_best(REQUEST, device="cpu", out=tmp_path)
    (file,) = load(stopped.value.path).files
    assert not file.complete
    with pytest.raises(InputError, match="start it again"):
        resume(stopped.value.path)


def test_nothing_to_try_is_bad_input(monkeypatch, tmp_path):
    search_with(monkeypatch)
    axes = {"runtime": ("openvino",), "precision": ("bf16",), "layout": ("nchw",)}
    with pytest.raises(InputError, match="nothing can be tried"):
        find_best(dataclasses.replace(REQUEST, axes=axes), device="cpu", out=tmp_path)
