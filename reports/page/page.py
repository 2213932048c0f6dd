"""The page: Records in, one HTML file out that needs nothing else, neither network nor a second file."""

import base64
import dataclasses
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import results
from reports.chapters import CHAPTERS, FIGURES
from reports.chapters.chart import Chart
from reports.chapters.sides.differences import diff_tables
from reports.chapters.sides.frame import MOST_SIDES
from reports.chapters.static.layers import stage_tables
from reports.chapters.static.stages import models
from reports.chapters.tradeoffs import fronts
from reports.chapters.tradeoffs.svg import drawing
from reports.page.content import Content, content
from reports.page.frames import statics
from reports.page.machine import compared, details, hardware
from reports.page.payload import packed, payload, remarks, rounded, table_of
from reports.page.script import script
from reports.page.sentences import both, noise, summary
from reports.style.columns import table
from reports.style.views import AXES, constants, constants_text, each, setting
from results.storage.files import check_output, replace
from results.text import printable

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

    from results.storage.reader import Records

TEMPLATES: Final = Path(__file__).parent / "templates"
CASE_COLUMNS: Final = (
    "model",
    *AXES,
    "status",
    "latency_s",
    "throughput_img_per_s",
    "speedup",
    "imagenet_top1",
    "latency_p50_s",
    "latency_p90_s",
    "latency_p95_s",
    "latency_p99_s",
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


PLAIN_COLUMNS: Final = (
    "model",
    *AXES,
    "latency_s",
    "throughput_img_per_s",
    "speedup",
    "peak_bytes",
    "imagenet_top1",
)
"""Columns of the table for readers without a script, those that all rows share left out."""
MOST_PLAIN: Final = 400
"""Rows of the table for readers without a script."""
MOST_REASONS: Final = 60
"""Reasons of missing values that are listed below the table of cases."""
MOST_DATA: Final = 250
"""Rows of one figure's data."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One figure with its words, as the template lays it out."""

    name: str
    title: str
    definition: str
    absent: str
    views: tuple[str, ...]
    """Labels of the choices; empty where there is nothing to draw."""
    paired: bool
    """Whether the choices are the chapter's pairs of sides."""
    takeaway: str
    fixed: str
    """What all rows have in common."""
    more: int
    """Choices that are left out, being too many."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case in words, for readers without a script."""

    model: str
    setting: str
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
    check_output(path, records, "the page")
    html = render(records)
    replace(path, html.encode(), "the page")
    return path


def render(records: "Records") -> str:
    """Return the page of `records` as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 (only where drawn)
    from markupsafe import Markup  # noqa: PLC0415
    from plotly.offline import get_plotlyjs  # type: ignore[attr-defined]  # noqa: PLC0415

    from results.schema.metrics import METRICS  # noqa: PLC0415

    machines = both(list(dict.fromkeys(hardware(file.run) for file in records.files)))  # by the plans, before any cut
    drawn_from = content(records)
    records, left_out, frames = drawn_from.records, drawn_from.left_out, drawn_from.frames
    frame = frames["cases"]
    drawn = {name: _draw(name, chart, drawn_from) for name, chart in FIGURES.items()}
    accurate = FIGURES["accuracy"].rows(frame)
    fixed = constants(frame, AXES)
    listed = table(frame, tuple(name for name in CASE_COLUMNS if name not in fixed))
    plain_columns = tuple(name for name in PLAIN_COLUMNS if name not in fixed)
    page_js = script()
    plotly_js: str = get_plotlyjs()  # type: ignore[no-untyped-call]
    environment = Environment(
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    exact = results.table(records)
    charts = {name: views for name, (_, views) in drawn.items()}
    return environment.get_template("page.html").render(
        title=f"ResNets on {machines}",
        facts=compared(records.files),
        runs=[(file.run, details(file.run)) for file in records.files],
        summary=summary(frame, accurate, frames["pairs"], whole=not left_out),
        left_out=left_out,
        noise=noise(frame),
        chapters=CHAPTERS,
        sections={name: section for name, (section, _) in drawn.items()},
        pareto=None if accurate.empty else drawing(fronts.comparable(accurate)),
        plain=table(frame.iloc[:MOST_PLAIN], plain_columns),
        plain_rows=[_case(row) for row in each(frame.iloc[:MOST_PLAIN])],
        count=len(frame),
        fixed=constants_text(fixed),
        wrong=[_case(row) for row in each(frame[frame["status"].eq("wrong result")])],
        missing=_missing(frame),
        unpaired=max(0, frame["machine"].nunique() - MOST_SIDES),
        diffs=[(pair_key(one.pair), one) for one in diff_tables(frames["pairs"], records, frame)],
        stages=stage_tables(frames["layers"]),
        models=table(models(statics(records)), MODEL_COLUMNS) if statics(records) else None,
        metrics=METRICS.values(),
        problems=records.problems,
        script_hashes=" ".join(f"'{_hash(script)}'" for script in (plotly_js, page_js)),
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
        page_js=Markup(page_js),  # noqa: S704 (our own file)
        plotly_js=Markup(plotly_js),  # noqa: S704 (Plotly's own script)
        payload=Markup(packed(payload(records, frame, listed, exact, charts))),  # noqa: S704 (base64)
    )


def _draw(name: str, chart: Chart, drawn_from: Content) -> tuple[Section, list[dict[str, Any]]]:
    kept, more = drawn_from.views(chart)
    fixed = constants(chart.rows(drawn_from.frames[chart.frame]), chart.by) if kept else {}
    slugs: dict[str, int] = {}
    views = []
    for view in kept:
        drawn = json.loads(chart.draw(view.frame).to_json())  # type: ignore[no-untyped-call]
        told = slug(view.label) or "all"
        slugs[told] = slugs.get(told, 0) + 1
        same = constants(view.frame, chart.by)
        columns = tuple(column for column in chart.columns if column not in same)
        views.append(
            {
                **drawn,
                "data": rounded(drawn["data"]),
                "label": printable(view.label),
                "slug": told if slugs[told] == 1 else f"{told}-{slugs[told]}",
                "takeaway": printable(chart.takeaway(view.frame)),
                **({"pair": pair_key(view.frame["pair"].iloc[0])} if chart.by == ("pair",) else {}),
                "table": table_of(table(view.frame.iloc[:MOST_DATA], columns))
                if chart.table is None
                else dataclasses.asdict(chart.table(view.frame)),
            }
        )
    section = Section(
        name=name,
        title=chart.title,
        definition=chart.definition,
        absent=chart.absent,
        views=tuple(view["label"] for view in views),
        paired=chart.by == ("pair",),
        takeaway=views[0]["takeaway"] if views else "",
        fixed=printable(constants_text(fixed)),
        more=more,
    )
    return section, views


def pair_key(pair: str) -> str:
    """Return what stands for a pair in an address, another for each: names may differ in what `slug` leaves out."""
    return f"{slug(pair)[:60]}-{zlib.crc32(pair.encode()):08x}"


def slug(text: str) -> str:
    """Return `text` as it may stand in an address: letters and digits, joined by hyphens."""
    return "-".join(re.findall(r"[a-z0-9.]+", text.lower()))[:80]


def _code(text: str) -> "Markup":
    """Return escaped text in which what stands between backticks is marked as code."""
    from markupsafe import Markup, escape  # noqa: PLC0415

    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _case(row: Any) -> CaseRow:
    return CaseRow(
        model=row.model,
        setting=setting(row),
        status=row.status,
        cause=row.cause if isinstance(row.cause, str) else "",
        remarks=tuple(remarks(row)),
    )


def _missing(frame: "pd.DataFrame") -> list[tuple[str, str, int]]:
    """Return why values are missing: metric, reason, number of cases. Of many reasons the commonest.

    Each case has its own with it in the table; numbers in a reason make it one of a kind.
    """
    counts: dict[tuple[str, str], int] = {}
    for nulls in frame["nulls"]:
        for name, reason in nulls.items():
            counts[name, reason] = counts.get((name, reason), 0) + 1
    commonest = sorted(counts, key=lambda one: (-counts[one], one))[:MOST_REASONS]
    return [(name, reason, counts[name, reason]) for name, reason in sorted(commonest)]
