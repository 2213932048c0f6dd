"""The recipes of docs/architecture.md, followed with throw-away things."""

from tests.registries.tree import Recipe

AXIS = Recipe(
    edits={
        "results/schema/axes.py": (
            (
                '    "threads": Axis(',
                """\
    "checkpointing": Axis(
        role="setting",
        kind="word",
        help="Whether activations are computed again in the backward pass.",
        heading="saving",
        choices=("off", "on"),
        default="off",
        baseline="off",
    ),
    "threads": Axis(""",
            ),
        ),
        "results/schema/case.py": (
            (
                "    threads: Size | None\n",
                '    checkpointing: Literal[AXES["checkpointing"].choices] = "off"\n    threads: Size | None\n',
            ),
        ),
    },
    checks="axis.py",
    declared="axis or axes",
)
METRIC = Recipe(
    edits={
        "results/schema/units.py": (
            (
                '    "FLOP": Unit(',
                '    "K": Unit(scales=((1.0, "K"),), suffix="k", words="kelvins"),\n    "FLOP": Unit(',
            ),
        ),
        "results/schema/metrics.py": (
            (
                '    count_metric("warmup_steps"',
                """\
    Metric(
        name="heat_k",
        unit="K",
        better="lower",
        label="heat",
        description="heat of a step",
        combine="median",
        tables=IN_CASES,
        terminal=(1e3, "mJ"),
    ),
    count_metric("warmup_steps\"""",
            ),
        ),
        "results/schema/lines/record.py": (
            (
                "    peak_resident_bytes: Count | None = None\n",
                "    heat_k: Seconds | None = None\n    peak_resident_bytes: Count | None = None\n",
            ),
        ),
    },
    checks="metric.py",
    declared="metric",
)
RUNTIME = Recipe(
    edits={
        "results/schema/labels.py": (
            (
                '    "compile": Runtime(engine="inductor", compiles=True),',
                """\
    "scripted": Runtime(engine="scripted", tasks=("inference",)),
    "compile": Runtime(engine="inductor", compiles=True),""",
            ),
        ),
        "bench/runtimes/scripted.py": (
            (
                "",
                """\
import torch

from bench.runtimes import PreparedModule


class Scripted:
    def unsupported(self, case):
        return None if case.precision == "fp32" else "it is scripted in fp32 only"

    def prepare(self, case, module, images, *, device, cache):
        return PreparedModule(module, images, device, torch.fx.symbolic_trace(module))


RUNTIME = Scripted()
""",
            ),
        ),
    },
    checks="runtime.py",
    declared="runtime or engine",
)
CHAPTER = Recipe(
    edits={
        "reports/chapters/start.py": (
            (
                "",
                """\
from reports.figures.chart import Chapter, Chart, sound
from reports.style.drawing import blank
from reports.style.views import CONTEXT


def _draw(frame):
    return blank(200).add_bar(x=frame["first_step_s"], y=frame["model"], orientation="h")


CHAPTER = Chapter(
    title="The start",
    lead="What the first step takes.",
    charts={
        "first_steps": Chart(
            title="First steps",
            definition="Wall time of the first step.",
            absent="no case has a first step",
            rows=sound("first_step_s"),
            by=CONTEXT,
            draw=_draw,
            takeaway=lambda frame: f"{len(frame)} models have begun.",
            columns=("model", "first_step_s"),
        ),
    },
)
""",
            ),
        ),
        "reports/chapters/__init__.py": (
            ('    "training": training.CHAPTER,\n', '    "training": training.CHAPTER,\n    "start": start.CHAPTER,\n'),
            (
                "from reports.chapters import batches, depth, energy, savings, training\n",
                "from reports.chapters import batches, depth, energy, savings, start, training\n",
            ),
        ),
    },
    checks="chapter.py",
    declared="chapter",
)
KIND = Recipe(
    edits={
        "results/schema/lines/curve.py": (
            (
                "",
                """\
from results.schema.types import Stored


class Curve(Stored, frozen=True, kw_only=True):
    model: str
    accuracy: tuple[float, ...]
""",
            ),
        ),
        "results/schema/kinds.py": (
            ('    "record": Record,\n', '    "record": Record,\n    "curve": Curve,\n'),
            (
                "from results.schema.lines.record import Record\n",
                "from results.schema.lines.curve import Curve\nfrom results.schema.lines.record import Record\n",
            ),
        ),
        "bench/process/messages.py": (
            (
                "from results.schema.case import Case\n",
                "from results.schema.case import Case\nfrom results.schema.lines.curve import Curve\n",
            ),
            (
                """\
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EqualityChecked:
""",
                """\
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurveLearned:
    curve: Curve


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LearnCurve(Request[CurveLearned]):
    model: Name
    epochs: Size


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EqualityChecked:
""",
            ),
        ),
        "bench/process/protocol.py": (
            ("    CountStatic,\n", "    CountStatic,\n    CurveLearned,\n    LearnCurve,\n"),
            (
                '    "check": (CheckEquality, EqualityChecked),\n',
                '    "check": (CheckEquality, EqualityChecked),\n    "curve": (LearnCurve, CurveLearned),\n',
            ),
        ),
        "bench/worker/serve.py": (
            ("    CountStatic,\n", "    CountStatic,\n    CurveLearned,\n    LearnCurve,\n"),
            (
                "from results.schema.case import Case\n",
                "from results.schema.case import Case\nfrom results.schema.lines.curve import Curve\n",
            ),
            (
                "    def failure(self,",
                """\
    def curve(self, request: LearnCurve) -> CurveLearned:
        accuracy = tuple(epoch / request.epochs for epoch in range(request.epochs))
        return CurveLearned(curve=Curve(model=request.model, accuracy=accuracy))

    def failure(self,""",
            ),
        ),
        "reports/chapters/curves.py": (
            (
                "",
                """\
import pandas as pd

from reports.figures.chart import Chapter, Chart
from reports.style.drawing import blank


def _frame(source):
    curves = [curve for file in source.study.records.files for curve in file.bodies("curve")]
    return pd.DataFrame(
        [(curve.model, epoch, value) for curve in curves for epoch, value in enumerate(curve.accuracy)],
        columns=["model", "epoch", "accuracy"],
    )


CHAPTER = Chapter(
    title="Curves",
    lead="How accuracy grows.",
    charts={
        "curves": Chart(
            title="Accuracy by epoch",
            definition="Top-1 accuracy after each epoch.",
            absent="no run has a curve",
            needs="curve",
            frame=_frame,
            rows=lambda frame: frame,
            by=("model",),
            draw=lambda frame: blank(200).add_scatter(x=frame["epoch"], y=frame["accuracy"]),
            takeaway=lambda frame: f"{len(frame)} epochs were learned.",
            columns=("model",),
        ),
    },
)
""",
            ),
        ),
        "reports/chapters/__init__.py": (
            (
                '    "training": training.CHAPTER,\n',
                '    "training": training.CHAPTER,\n    "curves": curves.CHAPTER,\n',
            ),
            (
                "from reports.chapters import batches, depth, energy, savings, training\n",
                "from reports.chapters import batches, curves, depth, energy, savings, training\n",
            ),
        ),
    },
    checks="kind.py",
)
FORMAT = Recipe(
    edits={
        "results/exporters/lines.py": (
            (
                "",
                """\
from results.exporters.files import SINGLE, Files


def to_lines(study):
    return Files(parts={SINGLE: "".join(f"{record.case.key}\\n" for record in study.records)})
""",
            ),
        ),
        "results/exporters/__init__.py": (
            ('    "openmetrics": to_openmetrics,\n', '    "openmetrics": to_openmetrics,\n    "lines": to_lines,\n'),
            (
                "from results.exporters.openmetrics import",
                "from results.exporters.lines import to_lines\nfrom results.exporters.openmetrics import",
            ),
        ),
    },
    checks="format.py",
    declared="exporter",
)
RECIPES = {"axis": AXIS, "metric": METRIC, "runtime": RUNTIME, "kind": KIND, "chapter": CHAPTER, "format": FORMAT}
