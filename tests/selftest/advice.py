"""A row about advice, measured live: does what was advised gain as much as predicted?"""

import pathlib
import tempfile

from msgspec import structs

import bench
from bench.process.forkserver import ForkServer
from bench.schedule.profiling.explain import ProfileOptions, explain
from bench.schedule.run import private_folder
from results.analysis.profiles.advice import advice
from results.analysis.profiles.breakdown import step_seconds
from results.analysis.study import Study
from results.schema.axes import AXES
from results.schema.case import Case
from tests.selftest.rows import Row

CASES = (
    *(("resnet34", "inference", batch, 96) for batch in (1, 3)),
    *(("resnet26", "inference", batch, 96) for batch in (1, 4)),
    *(("wide_resnet50_2", "inference", batch, 96) for batch in (1, 3)),
    *(("cifar_resnet32", task, 8, 32) for task in ("inference", "training")),
    *(("resnet18d", "training", batch, 96) for batch in (2, 6)),
    *(("preact_resnet34", "inference", batch, 96) for batch in (2, 4)),
    *(("resnet18", "training", batch, 128) for batch in (1, 3)),
    ("plain18", "inference", 2, 96),
)
"""Model, task, batch and pixels; for each the other layout and the doubled batch are carried out, where advised."""
LEAST = 0.8
"""Least share of the gains that lie in their interval."""
OPTIONS = ProfileOptions(steps=10, probe_s=4.0, traces=False)
SETTINGS = {"replicates": 3, "budget_s": 1.0, "target": "1%"}


def layout_and_batch(*, quick):
    """Profile each case, then measure it beside what was advised, all in one rotation."""
    cases = [_case(*each) for each in (CASES[:1] if quick else CASES)]
    predicted = _predicted(cases)
    others = [other for case, _ in predicted for other in (*_carried_out(case).values(), case)]
    with tempfile.TemporaryDirectory() as folder:
        records = bench.run(list(dict.fromkeys(others)), out=pathlib.Path(folder), **SETTINGS)
        seconds = _image_seconds(records)
    gains, inside = [], 0
    for case, remedies in predicted:
        for name, (low, high) in remedies.items():
            other = _carried_out(case)[name]
            gain = 1 - seconds[other.key] / seconds[case.key]
            gains.append((case.key, name, low, gain, high))
            inside += low <= gain <= high
    share = inside / len(gains)
    outside = "; ".join(f"{key} {name}: {gain:.0%} not in {low:.0%} to {high:.0%}"
                        for key, name, low, gain, high in gains if not low <= gain <= high)  # fmt: skip
    figure = f"{inside} of {len(gains)}" + (f" ({outside[:200]})" if outside else "")
    yield Row(
        "advice: gains of another layout and a doubled batch in their interval",
        figure,
        f"≥ {LEAST:.0%}",
        share >= LEAST,
    )


def _case(model, task, batch, size):
    return Case(
        model=model,
        task=task,
        batch_size=batch,
        image_size=size,
        device="cpu",
        precision="fp32",
        runtime="eager",
        layout="nchw",
        threads=2,
    )


def _carried_out(case):
    """Return the cases of the remedies."""
    return {
        "layout": structs.replace(case, layout="nhwc"),
        "batch": structs.replace(case, batch_size=2 * case.batch_size),
    }


def _predicted(cases):
    """Return each case with the ends of the predicted gains, as shares of a step."""
    predicted = []
    with ForkServer() as server:
        for case in cases:
            with private_folder() as folder:
                profile = explain(server, case, pathlib.Path(folder), OPTIONS).profile
            if profile.status != "ok":
                raise RuntimeError(f"{case.key}: {profile.cause}")
            step_s = step_seconds(profile)
            ends = {each.what: (each.low_s / step_s, each.high_s / step_s) for each in advice(profile, None)}
            predicted.append((case, {name: ends[name] for name in _carried_out(case) if name in ends}))
    return predicted


def _image_seconds(records):
    """Return the seconds of an image of each case, by its key."""
    rows = Study(records).table.to_dict("records")
    return {Case(**{name: row[name] for name in AXES}).key: row["latency_s"] / row["batch_size"] for row in rows}
