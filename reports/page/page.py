"""The page: Records in, one HTML file out that needs nothing else, neither network nor a second file."""

import base64
import dataclasses
import hashlib
from pathlib import Path
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs  # type: ignore[attr-defined]

from reports.chapters import CHAPTER_FOLDER, CHAPTERS
from reports.figures.chart import Insert, Source
from reports.page.answer import answer, noise
from reports.page.content import Content, content
from reports.page.machine import compared, details, hardware
from reports.page.payload import packed, payload, remarks
from reports.page.script import guard, script
from reports.page.section import Section, section
from reports.style.columns import CASE_COLUMNS, table
from reports.style.rows import CaseView, each
from reports.style.views import CONTEXT, constants, constants_text
from reports.style.words import joined
from results.analysis.study import Study
from results.schema.axes import AXES, SETTINGS
from results.schema.metrics import METRICS
from results.storage.files import check_output, replace
from results.storage.reader import Records
from results.text import printable

TEMPLATES: Final = Path(__file__).parent / "templates"
PLAIN_COLUMNS: Final = (
    "model",
    *CONTEXT,
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """The status of a case in words, for readers without a script."""

    status: str
    cause: str
    remarks: tuple[str, ...]


def write_page(records: Records | Study, path: str | Path = "report.html") -> Path:
    """Write the page of `records` and return its path.

    The same records give the same bytes. An existing file is replaced, and only once the new one is whole.

    Raises:
        InputError: The page cannot be written there, or it would take the place of what is no page.
    """
    path = Path(path)
    study = records if isinstance(records, Study) else Study(records)
    check_output(path, study.records, "the page")
    replace(path, render(study).encode(), "the page")
    return path


def render(records: Records | Study) -> str:
    """Return the page of `records` as HTML."""
    study = records if isinstance(records, Study) else Study(records)
    shown = content(study)
    environment = _environment()
    sections = {figure.name: section(figure) for figure in shown.figures}
    page = {
        # By the plans of all files, before any choice of cases cuts them.
        "title": f"ResNets on {joined(list(dict.fromkeys(hardware(file.run) for file in study.records.files)))}",
        "left_out": shown.left_out,
        "chapters": CHAPTERS,
        "sections": sections,
        **_inserts(environment, shown.source, sections),
        **_summary(shown),
        **_cases(shown.source),
        **_assets(shown.source, sections),
    }
    return environment.get_template("page.html").render(page)


def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        loader=FileSystemLoader([TEMPLATES, CHAPTER_FOLDER]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    return environment


def _inserts(environment: Environment, source: Source, sections: dict[str, Section]) -> dict[str, Any]:
    """Return the HTML that chapters and figures add, by the names of chapters and of figures."""

    def html(insert: Insert) -> Markup:
        return Markup(environment.get_template(insert.template).render(insert.values(source)))  # noqa: S704 (escaped)

    intros = {name: html(chapter.intro) for name, chapter in CHAPTERS.items() if chapter.intro is not None}
    stills = {name: html(part.chart.still) for name, part in sections.items() if part.views and part.chart.still}
    return {"intros": intros, "stills": stills}


def _summary(shown: Content) -> dict[str, Any]:
    """Return what the answer and the chapter on method say."""
    records = shown.source.study.records
    return {
        "summary": answer(shown.source, complete=not shown.left_out),
        "facts": compared(records.files),
        "problems": records.problems,
        "noise": noise(shown.source.cases),
        "metrics": METRICS.values(),
        "settings": joined([AXES[name].heading for name in SETTINGS]),
        "runs": [(file.run, details(file.run)) for file in records.files],
    }


def _cases(source: Source) -> dict[str, Any]:
    """Return what the chapter of every case says without a script."""
    first, fixed = source.cases.iloc[:MOST_PLAIN], constants(source.cases, CONTEXT)
    return {
        "plain": table(first, tuple(name for name in PLAIN_COLUMNS if name not in fixed)),
        "plain_rows": [_case(row) for row in each(first)],
        "count": len(source.cases),
        "fixed": constants_text(fixed),
        "missing": _missing(source.cases),
    }


def _assets(source: Source, sections: dict[str, Section]) -> dict[str, Any]:
    """Return style, scripts and the payload, and the hashes by which the policy lets the scripts run."""
    guard_js, page_js = guard(), script()
    plotly_js: str = get_plotlyjs()  # type: ignore[no-untyped-call]
    fixed = constants(source.cases, CONTEXT)
    listed = table(source.cases, tuple(name for name in CASE_COLUMNS if name not in fixed))
    charts = {name: drawn.views for name, drawn in sections.items()}
    return {
        "script_hashes": " ".join(f"'{_hash(text)}'" for text in (guard_js, plotly_js, page_js)),
        "css": Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
        "guard_js": Markup(guard_js),  # noqa: S704 (our own file)
        "page_js": Markup(page_js),  # noqa: S704 (our own file)
        "plotly_js": Markup(plotly_js),  # noqa: S704 (Plotly's own script)
        "payload": Markup(packed(payload(source, listed, charts))),  # noqa: S704 (base64)
    }


def _code(text: str) -> Markup:
    """Return escaped text in which what stands between backticks is marked as code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in enumerate(parts)
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _case(row: CaseView) -> CaseRow:
    return CaseRow(
        status=row.status, cause=row.cause if isinstance(row.cause, str) else "", remarks=tuple(remarks(row))
    )


def _missing(frame: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return why values are missing: metric, reason, number of cases. Of many reasons the commonest.

    Each case has its own with it in the table; numbers in a reason make it unique.
    """
    counts: dict[tuple[str, str], int] = {}
    for nulls in frame["nulls"]:
        for name, reason in nulls.items():
            counts[name, reason] = counts.get((name, reason), 0) + 1
    commonest = sorted(counts, key=lambda missing: (-counts[missing], missing))[:MOST_REASONS]
    return [(name, reason, counts[name, reason]) for name, reason in sorted(commonest)]
