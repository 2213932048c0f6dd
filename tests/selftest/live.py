"""Rows that are measured live, on whatever machine this is: the false alarms, the power and the noise of `ab`."""

import contextlib
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from bench.process import ask
from bench.process.forkserver import SERVE, ForkServer
from bench.schedule.ab import PAIR_DEFAULTS
from bench.schedule.pairs import Arm, Pairs
from results.analysis.ab import ratio
from results.schema.case import Case
from results.schema.lines.run import Settings
from results.statistics.intervals import across
from results.statistics.looks import judge
from results.statistics.margin import MARGIN
from tests.selftest.rows import Row, share_row

RUNS = 100
PLANTED_RUNS = 40
SMALL = Case(
    model="cifar_resnet20",
    task="inference",
    batch_size=1,
    image_size=32,
    device="cpu",
    precision="fp32",
    runtime="eager",
    layout="nchw",
    threads=1,
)
QUICK = Settings(replicates=40, target=0.003, budget_s=0.05, timeout_s=60.0, time_limit_s=None)
"""A pair of `SMALL` in about a third of a second, as thousands are needed."""
_HOG = (
    "import random, time\n"
    "chance = random.Random(0)\n"
    "while True:\n"
    "    until = time.monotonic() + chance.uniform(0.1, 3)\n"
    "    while time.monotonic() < until: pass\n"
    "    time.sleep(chance.uniform(0.1, 3))\n"
)


class _Runs:
    """Some whole A/B comparisons of a small network, which share a fork server."""

    def __init__(self, server, folder):
        self.server = server
        self.folder = pathlib.Path(folder)
        self.ratios = []
        """Of each run, the ratios of its pairs."""
        self.records = []

    def measure(self, case, settings, *, b=SERVE, margin=MARGIN):
        """Run one comparison and return what it shows; `b` is what the workers of arm b run."""
        self.ratios.append([])
        arms = [
            Arm(name=name, server=self.server, case=case, cache=self.folder, target=target)
            for name, target in (("a", SERVE), ("b", b))
        ]
        for event in Pairs(*arms, margin=margin, settings=settings).measure():
            if isinstance(event, tuple):
                self._recorded(*event)
        return judge(self.ratios[-1], margin)

    def _recorded(self, a, b):
        self.records += (a, b)
        found = ratio(a, b)
        if found is None:
            raise RuntimeError(f"a pair came to nothing: {a.cause or b.cause}")
        self.ratios[-1].append(found)


@contextlib.contextmanager
def _runs():
    with ForkServer() as server, tempfile.TemporaryDirectory() as folder:
        yield _Runs(server, folder)


@contextlib.contextmanager
def _hog():
    """Keep a CPU busy, on and off at random."""
    with subprocess.Popen([sys.executable, "-c", _HOG]) as process:
        try:
            yield
        finally:
            process.kill()


def null(*, quick):
    """Two equal arms of a small network, on the machine as it is and beside a hog: no verdict may say they differ."""
    count = RUNS // 10 if quick else RUNS
    for what, load in (("", contextlib.nullcontext), (" beside a CPU hog", _hog)):
        with _runs() as runs, load():
            began = time.monotonic()
            judged = [runs.measure(SMALL, QUICK) for _ in range(count)]
            took = time.monotonic() - began
        false = sum(one.verdict in {"slower", "faster"} for one in judged)
        words = ", ".join(f"{sum(one.verdict == word for one in judged)} {word}" for word in ("same", "inconclusive"))
        yield Row(f"live A/A{what}: {count} runs, {took:.0f} s: {words}", f"{false} false verdicts", "≤ 1", false <= 1)
        first = [judge(ratios[:10], 0.0) for ratios in runs.ratios]
        strict = sum(one.p is not None and one.p <= 0.01 for one in first)
        yield share_row(f"live A/A{what}: p ≤ 1 % at margin 0, first 10 pairs", strict, count, high=0.01)
        spread = statistics.median(one.spread for one in first if one.spread is not None)
        yield Row(f"live A/A{what}: spread of the paired log ratio", f"{spread:.2%}", "printed", True)


def planted(*, quick):
    """A busy wait in arm b, found or not; and, from the waiting processes themselves, how long it really was."""
    count = PLANTED_RUNS // 10 if quick else PLANTED_RUNS
    for share, target, pairs, least in ((0.10, "ten_percent", 10, 0.99), (0.05, "five_percent", 20, 0.95)):
        with _runs() as runs:
            judged = [runs.measure(SMALL, QUICK, b=f"tests.selftest.planted:{target}") for _ in range(count)]
        waits = [
            float(note.removeprefix("planted "))
            for record in runs.records
            for note in record.notes
            if note.startswith("planted ")
        ]
        true = statistics.mean(waits) - 1
        figure = f"{true:.3%} in {len(waits)} processes"
        yield Row(f"planted +{share:.0%}: its true size", figure, f"{share:.1%} ± 0.2 %", abs(true - share) <= 0.002)
        found = sum(one.verdict == "slower" and one.pairs <= pairs for one in judged)
        yield share_row(f"planted +{share:.0%}: found by {pairs} pairs", found, count, low=least)
        seen = across([one.ratio for one in judged])
        yield Row(f"planted +{share:.0%}: as measured", f"+{seen.value - 1:.2%}", "printed", True)
        same = sum(one.verdict == "same" for one in judged)
        what = f"planted +{share:.0%}: called the same at a margin of 2 %"
        yield Row(what, f"{same} of {count}", "≤ 1", same <= 1)


def spread(*, quick):
    """The noise of pairs of ResNet-18 at batch 1."""
    settings = Settings(
        replicates=40,
        target=PAIR_DEFAULTS.target,
        budget_s=PAIR_DEFAULTS.budget_s,
        timeout_s=60.0,
        time_limit_s=60 if quick else None,
    )
    with _runs() as runs:
        (_, environment) = ask.environment(runs.server, {"cpu"})
        case = Case(
            model="resnet18",
            task="inference",
            batch_size=1,
            image_size=224,
            device="cpu",
            precision="fp32",
            runtime="eager",
            layout="nchw",
            threads=environment.torch_threads,
        )
        judged = runs.measure(case, settings, margin=0.0)  # which is the same only by chance: all pairs are measured
    low, high = _spread_bounds(judged.spread, judged.pairs)
    kept = True if judged.spread <= 0.015 else None if low <= 0.015 else False
    figure = f"{judged.spread:.2%} [{low:.2%}, {high:.2%}]"
    yield Row(f"spread of the paired log ratio, ResNet-18, {judged.pairs} pairs", figure, "≤ 1.5 %", kept)


def _spread_bounds(sd, count):
    from scipy.stats import chi2  # noqa: PLC0415 (0.5 s that other rows need not pay)

    return tuple(sd * math.sqrt((count - 1) / chi2.ppf(q, count - 1)) for q in (0.975, 0.025))


def verdict_time(*, quick):
    """The command, as a user would give it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench", "ab", "--model", "resnet18", "--device", "cpu", "--out", folder]
        began = time.monotonic()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        took = time.monotonic() - began
    first = done.stdout.partition("\n")[0]
    kept = took <= 300 and first.startswith("pass: the same")
    verdict = first.partition(" at a margin")[0] or f"exit code {done.returncode}"
    yield Row("ab of ResNet-18 with itself to a verdict", f"{took:.0f} s, {verdict}", "≤ 300 s, the same", kept)
