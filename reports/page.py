"""The page: Records in, one HTML file out that needs nothing else, neither network nor a second file."""

import base64
import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports.columns import Cell, Table, table
from reports.figures import FIGURES, STATIC_FIGURES, Chart
from reports.machine import details, facts, hardware
from reports.pareto import drawing
from reports.sentences import summary
from reports.static import models, stages
from reports.theme import template
from reports.views import AXES, View, constants, constants_text, each
from results.errors import InputError
from results.formats import printable
from results.sanity import kind

if TYPE_CHECKING:
    import pandas as pd

    from results.store import Records

TEMPLATES: Final = Path(__file__).parent / "templates"
CASE_COLUMNS: Final = (
    "latency_s",
    "latency_p50_s",
    "latency_p90_s",
    "latency_p95_s",
    "latency_p99_s",
    "throughput_img_per_s",
    "speedup",
    "flops_per_s",
    "peak_resident_bytes",
    "peak_allocated_bytes",
    "first_step_s",
    "compile_s",
    "warm_compile_s",
    "break_even_steps",
    "graph_breaks",
    "recompiles",
    "equality",
    "equality_error",
    "state",
    "imagenet_top1",
)
MODEL_COLUMNS: Final = (
    "model",
    "family",
    "block",
    "depth",
    "image_size",
    "parameters",
    "model_bytes",
    "macs",
    "flops",
    "training_flops",
    "fvcore_macs",
    "uncounted",
    "activations",
    "arithmetic_intensity",
    "imagenet_top1",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One figure with its words, as the template lays it out."""

    name: str
    title: str
    definition: str
    absent: str
    views: tuple[str, ...]
    """Labels of the choices; empty where there is nothing to draw."""
    takeaway: str
    fixed: str
    """What all rows have in common."""
    data: Table


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case of the table at the end."""

    axes: tuple[Cell, ...]
    """What was measured, cells in the order of the columns."""
    measures: tuple[Cell, ...]
    """What came of it."""
    status: str
    cause: str
    remarks: tuple[str, ...]


def build(records: "Records", path: str | Path = "report.html") -> Path:
    """Write the page of `records` and return its path.

    The same records give the same bytes. An existing file is replaced, and only once the new one is whole.

    Raises:
        InputError: The page cannot be written there, or it would take the place of what is no page.
    """
    path = Path(path)
    _check_place(path, records)
    html = render(records)
    try:
        handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(html)
            Path(half).chmod(0o644)
            Path(half).replace(path)
        except BaseException:
            Path(half).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"cannot write {str(path)!r}: {error.strerror or error}; choose another path for the page"
        ) from None
    return path


def _check_place(path: Path, records: "Records") -> None:
    """Refuse what a slip of the hand would destroy: a run file (``-o runs/*.jsonl``), or a device such as /dev/null."""
    if path.suffix == ".jsonl" or os.path.realpath(path) in {str(file.path) for file in records.files}:
        raise InputError(f"{str(path)!r} is the place of a run file; choose another path for the page")
    if path.exists() and not path.is_file():
        raise InputError(f"{str(path)!r} is there and no file; choose another path for the page")


def render(records: "Records") -> str:
    """Return the page of `records` as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 (only where drawn)
    from markupsafe import Markup  # noqa: PLC0415
    from plotly.offline import get_plotlyjs  # type: ignore[attr-defined]  # noqa: PLC0415

    from results.catalogue import METRICS  # noqa: PLC0415

    frame = cases(records)
    statics = tuple(static for file in records.files for static in file.statics)
    drawn = [_draw(name, chart, frame) for name, chart in FIGURES.items()]
    drawn += [_draw(name, chart, stages(statics)) for name, chart in STATIC_FIGURES.items()]
    accuracy = FIGURES["accuracy"].views(frame)
    fixed = constants(frame, AXES)
    axes = table(frame, ("model", *(axis for axis in AXES if axis not in fixed)))
    measures = table(frame, CASE_COLUMNS)
    page_js = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    plotly_js: str = get_plotlyjs()  # type: ignore[no-untyped-call]
    environment = Environment(
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        title=f"ResNets on {' and '.join(dict.fromkeys(hardware(file.run) for file in records.files))}",
        runs=[(file, facts(file), details(file.run)) for file in records.files],
        summary=summary(frame, accuracy[0].frame if accuracy else None),
        sections={section.name: section for section, _ in drawn},
        pareto=drawing(accuracy[0].frame) if accuracy else None,
        axes=axes.columns,
        measures=measures.columns,
        cases=[_case(*made) for made in zip(axes.rows, measures.rows, each(frame), strict=True)],
        fixed=constants_text(fixed),
        missing=_missing(frame),
        models=table(models(statics), MODEL_COLUMNS) if statics else None,
        metrics=METRICS.values(),
        problems=records.problems,
        script_hashes=" ".join(f"'{_hash(script)}'" for script in (plotly_js, page_js)),
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
        page_js=Markup(page_js),  # noqa: S704 (our own file)
        plotly_js=Markup(plotly_js),  # noqa: S704 (Plotly's own script)
        figures=Markup(_figures_json({section.name: views for section, views in drawn})),  # noqa: S704 (escaped)
    )


def cases(records: "Records") -> "pd.DataFrame":
    """Return `results.table` with what the page adds: machine, peak memory, and text that only shows.

    A case whose result is wrong gets a status that says so: like one that failed, it counts nowhere as fast.
    """
    import results  # noqa: PLC0415 (pandas)

    frame = results.table(records)
    frame.attrs = {}  # pandas copies them with every selection, deeply
    wrong = frame["status"].eq("ok") & frame["equality"].eq("wrong")
    causes = [_wrong(row.warnings) if bad else row.cause for bad, row in zip(wrong, each(frame), strict=True)]
    frame = frame.assign(status=frame["status"].mask(wrong, "wrong result"), cause=causes)
    text = frame.map(lambda value: printable(value) if isinstance(value, str) else value)
    peak = text["peak_allocated_bytes"].where(text["peak_allocated_bytes"].notna(), text["peak_resident_bytes"])
    names = {file.run.id: hardware(file.run) for file in records.files}
    alike = [name for name in names.values() if list(names.values()).count(name) > 1]
    machines = {run: f"{name} · {run}" if name in alike else name for run, name in names.items()}
    threads = text["threads"].astype(object)
    return text.assign(
        peak_bytes=peak,
        threads=threads.where(threads.notna(), None),  # pandas' NA is neither equal to itself nor true or false
        family=text["family"].fillna("unknown"),
        machine=[printable(machines[run]) for run in frame["run"]],
    )


def _wrong(warnings: Iterable[str]) -> str:
    """Return what is wrong with a result, as its warning says it."""
    return next(line.partition(": ")[2] for line in warnings if kind(line) == "wrong")


def _draw(name: str, chart: Chart, frame: "pd.DataFrame") -> tuple[Section, list[dict[str, Any]]]:
    views = chart.views(frame)
    rows = chart.rows(frame)
    fixed = constants(rows, chart.by)
    figures = [_figure(chart, view) for view in views]
    section = Section(
        name=name,
        title=chart.title,
        definition=chart.definition,
        absent=chart.absent,
        views=tuple(view.label for view in views),
        takeaway=figures[0]["takeaway"] if figures else "",
        fixed=constants_text(fixed),
        data=table(rows, tuple(column for column in chart.columns if column not in fixed)),
    )
    return section, figures


def _figure(chart: Chart, view: View) -> dict[str, Any]:
    drawn = json.loads(chart.draw(view.frame).to_json())  # type: ignore[no-untyped-call]
    return {**drawn, "takeaway": printable(chart.takeaway(view.frame))}


def _figures_json(figures: Mapping[str, Any]) -> str:
    """Return everything that the script draws as JSON in which no HTML tag can begin."""
    content = {
        "templates": {mode: template(mode) for mode in ("light", "dark")},
        "charts": figures,
    }
    return json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _case(axes: tuple[Cell, ...], measures: tuple[Cell, ...], row: Any) -> CaseRow:
    return CaseRow(
        axes=axes,
        measures=measures,
        status=row.status,
        cause=row.cause if isinstance(row.cause, str) else "",
        remarks=tuple(dict.fromkeys([*row.warnings, *row.notes])),
    )


def _missing(frame: "pd.DataFrame") -> list[tuple[str, str, int]]:
    """Return why values are missing: metric, reason, number of cases."""
    counts: dict[tuple[str, str], int] = {}
    for nulls in frame["nulls"]:
        for name, reason in nulls.items():
            counts[name, reason] = counts.get((name, reason), 0) + 1
    return [(name, reason, count) for (name, reason), count in sorted(counts.items())]
