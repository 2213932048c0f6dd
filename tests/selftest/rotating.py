"""Rows about the rotation of a run, measured live: its cost, what workers do to one another, and its precision."""

import contextlib
import dataclasses
import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence

import numpy as np

import bench
import results
from bench.process.client import WorkerClient
from bench.process.forkserver import ForkServer
from bench.schedule.seat import Seat, plan_turn
from results.metrics.levels import log_ratios
from results.metrics.measured import MeasuredRun
from results.schema.case import Case
from results.schema.lines.run import Settings
from results.statistics import intervals
from results.statistics.segments import Segments
from tests.selftest.rows import Row

SETTINGS = Settings(replicates=1, target=0.002, budget_s=8, timeout_s=1200, time_limit_s=None)
CYCLES = 150
"""Pairs of turns, beside a neighbour and alone."""
EQUAL_S = 75
"""Seconds of a run whose replicates are varied."""
VARIANTS = (
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet26"),
    *("preact_resnet50", "resnext50_32x4d", "wide_resnet50_2", "resnet50d", "plain34"),
)
"""The variants of the default suite."""
SETTLE = 8
"""Steps after which a worker is as if it were alone."""


def case_of(model: str, threads: int, **axes: object) -> Case:
    """Return a case on the CPU in fp32, eager and nchw, unless `axes` say otherwise."""
    usual = {"task": "inference", "batch_size": 1, "precision": "fp32", "runtime": "eager", "layout": "nchw"}
    return Case(**{"model": model, "image_size": 224, "device": "cpu", "threads": threads, **usual, **axes})


def worker_cost(server: ForkServer, threads: int) -> Iterator[Row]:
    """Seconds of a worker beside its sampling, from its start to its end, as in replicates after the first."""
    case = case_of("resnet50", threads)
    with tempfile.TemporaryDirectory() as folder:
        costs = [_worker_cost(server, case, folder) for _ in range(7)]
    cost_s = statistics.median(costs)
    yield Row("a worker of resnet50 beside its sampling", f"{cost_s:.2f} s", "≤ 0.4 s", cost_s <= 0.4)


def _worker_cost(server: ForkServer, case: Case, folder: str) -> float:
    began = time.perf_counter()
    live = WorkerClient(server, case, 1, SETTINGS)
    with contextlib.closing(live):
        live.prepare(folder)
        seat = Seat(case, live)
        paused = time.perf_counter()
        for _ in range(4):
            seat.take_turn(plan_turn(None, alone=True))
        resumed = time.perf_counter()
        live.end(seat.samples(live.phases), "budget")
    return time.perf_counter() - began - (resumed - paused)


def carry_over(server: ForkServer, threads: int, device: str = "cpu") -> Iterator[Row]:
    """What a turn costs right after a training step of a wide network, over a turn of the same worker alone."""
    neighbour = case_of("wide_resnet101_2", threads, task="training", device=device)
    for model, batch_size in (("resnet18", 1), ("resnet50", 1), ("resnet18", 16)):
        case = case_of(model, threads, batch_size=batch_size, device=device)
        interval = _carried(server, case, neighbour)
        what = f"carry-over: {model} b{batch_size} after a step of {neighbour.model} {neighbour.task} / alone"
        figure = f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
        inside = 1 / 1.01 <= interval.low <= interval.high <= 1.01
        certain = interval.low > 1.01 or interval.high < 1 / 1.01
        yield Row(what, figure, "1.00 ± 0.01", inside or (False if certain else None))


def _carried(server: ForkServer, case: Case, neighbour: Case) -> intervals.Interval:
    """Return the time after the neighbour's step over the time alone, from pairs of turns of the same worker."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        lives = [
            stack.enter_context(contextlib.closing(WorkerClient(server, c, 1, SETTINGS))) for c in (case, neighbour)
        ]
        for live in lives:
            live.prepare(folder)
        own, other = (Seat(live.case, live) for live in lives)
        for seat in (own, other, own, other, own):
            seat.take_turn(plan_turn(None, alone=True))
        ratios = []
        for cycle in range(CYCLES):
            plan = own.plan(alone=False)
            alone = dataclasses.replace(plan, pause_s=0, drop=max(2, math.ceil(SETTLE * 0.02 / own.medians[-1])))
            turns = {}
            for beside in (True, False) if cycle % 2 else (False, True):
                if beside:
                    other.take_turn(plan_turn(None, alone=True))
                own.take_turn(plan if beside else alone)
                turns[beside] = own.medians[-1]
            ratios.append(turns[True] / turns[False])
    interval = intervals.median_interval(ratios)
    assert interval is not None
    return interval


def default_run(server: ForkServer, threads: int) -> Iterator[Row]:
    """The default suite, and what it tells about every pair of its cases."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        records = bench.run(device="cpu", out=folder)
        took = time.perf_counter() - began
        run = MeasuredRun(records.files[0])
        frame = results.table(records)
    cases = [
        case for case, own in run.replicates.items() if all(run.file.records[i].status == "ok" for i in own.values())
    ]
    count = records.files[0].run.settings.replicates
    yield Row(f"default suite: {len(cases)} cases, {count} replicates", f"{took / 60:.1f} min", "≤ 6 min", took <= 360)
    widths = [
        (math.log(pair.high / pair.low) / 2, pair)
        for ranking in results.rank(records)
        for pair in ranking.pairs
        if pair.low is not None and pair.high is not None
    ]
    across = [width for width, pair in widths if pair.faster.partition("/")[0] != pair.slower.partition("/")[0]]
    yield _width("ratio of two variants in `rank`, median", statistics.median(across), 0.03)
    yield _width("ratio of two variants in `rank`, worst", max(across), 0.06)
    apart = [half(_logs(run, *pair)) for pair in itertools.combinations(cases, 2)]
    yield _width("ratio of any two cases, each pair by itself, median", statistics.median(apart), None)
    yield _width("ratio of any two cases, each pair by itself, worst", max(apart), None)
    speedups = np.log(frame["speedup_high"] / frame["speedup_low"]).dropna() / 2
    yield _width("speed-up over the baseline, median", float(speedups.median()), 0.02)
    latencies = np.log(frame["latency_high_s"] / frame["latency_low_s"]).dropna() / 2
    yield _width("absolute latency, median", float(latencies.median()), 0.08)
    yield from _estimators(run, cases)


def replicates_at_equal_time(server: ForkServer, threads: int) -> Iterator[Row]:
    """Eleven variants at batch 1 for the same time with few processes that sample long, and with many that do not."""
    sampling = {"target": 1e-6, "budget_s": EQUAL_S, "time_limit_s": EQUAL_S}  # only the time ends a run
    for count in (3, 4, 6, 8, 10, 12):
        with tempfile.TemporaryDirectory() as folder:
            records = bench.run(axes={"model": VARIANTS}, device="cpu", out=folder, replicates=count, **sampling)
            run = MeasuredRun(records.files[0])
        widths = [half(_logs(run, *pair)) for pair in itertools.combinations(run.replicates, 2)]
        complete = all(len(own) == count for own in run.replicates.values())
        budget = statistics.median(record.budget_s for record in records.files[0].records)
        sampled = f"{budget:.1f} s a process{'' if complete else ', not all complete'}"
        figure = f"median ± {statistics.median(widths):.1%}, worst ± {max(widths):.1%} ({sampled})"
        what = f"half-width of the ratio of two of {len(VARIANTS)} variants after {EQUAL_S} s"
        yield Row(what, figure, "printed", True, f"{count} replicates")


def _logs(run: MeasuredRun, before: Case, after: Case) -> np.ndarray:
    """Return the logs of the fitted ratios of two cases, a number for each replicate that both have."""
    a, b = run.replicates[before], run.replicates[after]
    common = sorted(set(a) & set(b))
    return log_ratios(run.levels, run.latencies, [a[k] for k in common], [b[k] for k in common])


def half(logs: np.ndarray) -> float:
    """Return the half-width of the 95 % interval across replicates, from the logs of their ratios."""
    interval = intervals.intervals_across(np.exp(logs), Segments(np.array([len(logs)])))
    return float(np.log(interval.high[0] / interval.low[0]) / 2)


def _width(what: str, width: float, bound: float | None) -> Row:
    shown = "printed" if bound is None else f"≤ ± {100 * bound:g} %"
    return Row(f"half-width of the {what}", f"± {100 * width:.1f} %", shown, bound is None or width <= bound)


def _estimators(run: MeasuredRun, cases: Sequence[Case]) -> Iterator[Row]:
    """The sd of the log ratio of two cases across replicates, by three estimators, on the run that was recorded."""
    pairs = list(itertools.combinations(cases, 2))
    reference = next((case for case in cases if case.model == "resnet50"), cases[0])
    replicates = range(min(len(own) for own in run.replicates.values()))
    naive = {case: np.log([run.latencies[run.replicates[case][k]] for k in replicates]) for case in cases}
    same = {case: np.array([_same_round(run, case, reference, k) for k in replicates]) for case in cases}
    for name, logs in (
        ("naive ratio of medians", lambda a, b: naive[a] - naive[b]),
        ("nearest turns of one reference", lambda a, b: same[a] - same[b]),
        ("the fit", lambda a, b: _logs(run, a, b)),
    ):
        sds = [float(np.std(logs(a, b), ddof=1)) for a, b in pairs]
        figure = f"median {statistics.median(sds):.2%}, worst {max(sds):.2%}"
        yield Row("sd of the log ratio of two cases across replicates", figure, "printed", True, name)


def _same_round(run: MeasuredRun, case: Case, reference: Case, replicate: int) -> float:
    """Return the median log ratio of a case's steady turns to the reference's turns nearest in time."""
    own, other = (_turns(run, chosen, replicate) for chosen in (case, reference))
    nearest = np.abs(own[0][:, None] - other[0]).argmin(axis=1)
    return float(np.median(own[1] - other[1][nearest]))


def _turns(run: MeasuredRun, case: Case, replicate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the times and the log medians of the steady turns of a process."""
    samples = run.file.records[run.replicates[case][replicate]].samples
    steps, turn = np.log(samples.step_s[samples.warmup :]), np.array(samples.turn[samples.warmup :])
    turns = np.unique(turn)
    return np.array(samples.at_s)[turns], np.array([np.median(steps[turn == index]) for index in turns])
