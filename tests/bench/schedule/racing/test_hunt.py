import dataclasses

from bench.schedule.racing.run import SEARCH_SUITE, find_best
from tests.bench.schedule.racing.searched import REQUEST, Quantizing, Wrong, search_with


def test_the_fastest_wins_and_is_confirmed_in_fresh_processes(monkeypatch, tmp_path):
    server = search_with(monkeypatch)
    search, records = find_best(REQUEST, device="cpu", out=tmp_path)
    assert search.winner is not None
    assert search.winner.runtime == "openvino"
    (file,) = records.files
    assert (file.run.suite, file.complete, file.problems) == (SEARCH_SUITE, True, ())
    assert file.bodies("search") == (search,)
    assert {each.case.runtime: each.fate for each in search.candidates}["eager"] == "slower"
    of_winner = [record for record in records if record.case == search.winner]
    assert len(of_winner) >= 3
    assert {record.case.runtime for record in records if record.replicate == 1} >= {"openvino", "onnxruntime", "eager"}
    assert of_winner[0].equality.verdict == "equal"
    assert not server.alive


def test_a_wrong_winner_gives_way_to_the_next(monkeypatch, tmp_path):
    search_with(monkeypatch, Wrong)
    search, _ = find_best(REQUEST, device="cpu", out=tmp_path)
    assert search.winner.runtime == "onnxruntime"
    fates = {each.case.runtime: each for each in search.candidates}
    assert fates["openvino"].fate == "wrong"
    assert "differs" in fates["openvino"].reason


def test_without_a_winner_the_bound_is_named(monkeypatch, tmp_path):
    search_with(monkeypatch)
    search, _ = find_best(dataclasses.replace(REQUEST, max_latency_s=0.001), device="cpu", out=tmp_path)
    assert search.winner is None
    assert "latency" in search.reason
    assert search.nearest is not None


def test_any_batch_finds_the_batch_with_the_most_images_a_second(monkeypatch, tmp_path):
    search_with(monkeypatch)
    search, records = find_best(dataclasses.replace(REQUEST, batches=None), device="cpu", out=tmp_path)
    assert (search.winner.runtime, search.winner.batch_size) == ("openvino", 32)
    assert {each.case.batch_size for each in search.candidates} == {1, 2, 4, 8, 16, 32}
    assert any(record.case == search.winner.baseline for record in records)


def test_int8_takes_part_where_its_agreement_is_bounded(monkeypatch, tmp_path):
    search_with(monkeypatch, Quantizing)
    axes = {"runtime": REQUEST.axes["runtime"], "layout": ("nchw",)}
    request = dataclasses.replace(REQUEST, axes=axes, min_agreement=0.99)
    search, _ = find_best(request, device="cpu", out=tmp_path)
    assert (search.winner.runtime, search.winner.precision) == ("onnxruntime", "int8")
    fates = {each.case.runtime: each for each in search.candidates if each.case.precision == "int8"}
    assert fates["openvino"].fate == "disagrees"
    assert "agrees with fp32 on 90.00%" in fates["openvino"].reason
    assert search.min_agreement == 0.99


def test_without_a_bound_nothing_is_quantized(monkeypatch, tmp_path):
    search_with(monkeypatch, Quantizing)
    axes = {"runtime": REQUEST.axes["runtime"], "layout": ("nchw",)}
    search, _ = find_best(dataclasses.replace(REQUEST, axes=axes), device="cpu", out=tmp_path)
    assert "int8" not in {each.case.precision for each in search.candidates}
