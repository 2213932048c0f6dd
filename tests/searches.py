"""A made-up search for the fastest configuration, in a file."""

from msgspec import structs

from results.schema.lines.search import Candidate, Search
from results.storage.reader import load
from results.storage.writer import Writer
from tests.conftest import _case, _equality, _record, _run

LATENCIES = {"eager": 0.080, "onnxruntime": 0.050, "openvino": 0.040}
"""Seconds a step in fp32, by runtime; bf16 halves them."""


def made_cases():
    """Return the candidates that are timed: three runtimes in fp32, and OpenVINO in bf16, which wins."""
    usual = {"model": "resnet50", "batch_size": 1, "device": "cpu"}
    cases = [_case(**usual, runtime=name) for name in LATENCIES]
    return [*cases, structs.replace(cases[-1], precision="amp-bf16")]


def made_search(**changes):
    """Return the search with its fates."""
    eager, ort, ov, half = made_cases()
    compiled = structs.replace(eager, runtime="compile")
    usual = Search(
        time_limit_s=300.0,
        candidates=(
            Candidate(
                case=eager, fate="slower", reason="slower than amp-bf16 openvino nchw by 300%", round=6, left_s=20.0
            ),
            Candidate(
                case=ort, fate="slower", reason="slower than amp-bf16 openvino nchw by 150%", round=7, left_s=30.0
            ),
            Candidate(
                case=ov, fate="slower", reason="slower than amp-bf16 openvino nchw by 100%", round=8, left_s=31.0
            ),
            Candidate(case=compiled, fate="cannot-win", reason="not started: fp32 eager nchw takes 80 ms an image"),
            Candidate(case=half, fate="stayed", round=12, left_s=60.0),
        ),
        winner=half,
        reason="every other candidate is slower, or cannot win",
        started="2026-11-27T00:00:00Z",
        duration_s=120.0,
    )
    return structs.replace(usual, **changes)


def write_search(folder, search=None):
    """Write a search into a file of `folder`, with three processes of each candidate that was timed."""
    search = search or made_search()
    with Writer.create(folder, _run(run_id="search", plan=(), suite="best")) as writer:
        for replicate in range(3):
            for case in made_cases():
                latency_s = LATENCIES[case.runtime] / (1 if case.precision == "fp32" else 2)
                record = _record(
                    case, latency_s=latency_s, replicate=replicate, began_s=100.0 * replicate, seed=case.key
                )
                checked = case == search.winner and replicate == 0
                writer.append(structs.replace(record, equality=_equality()) if checked else record)
        writer.append(search)
        writer.end("complete")
    return load(writer.path)
