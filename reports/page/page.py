"""Build the page: a single HTML file that needs neither the network nor other files."""

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
from reports.page.machine import compared, details, title
from reports.page.payload import packed, packed_json, payload, remarks
from reports.page.script import guard, script
from reports.page.section import Section, section
from reports.style.columns import CASE_COLUMNS, table
from reports.style.rows import CaseView, each
from reports.style.views import CONTEXT, constants, constants_text, of_every_machine
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
"""Columns of the table for readers without a script; columns with equal values are left out."""
MOST_PLAIN: Final = 400
"""The most rows of the table for readers without a script, of every machine."""
MOST_REASONS: Final = 60
"""The most reasons of missing values below the table of cases."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """The status of a case as text, for readers without a script."""

    status: str
    cause: str
    remarks: tuple[str, ...]


def write_page(records: Records | Study, path: str | Path = "report.html") -> Path:
    """Write the page of `records` and return its path.

    The same records give the same bytes. An existing file is replaced after the new file is complete.

    Raises:
        InputError: The page cannot be written there, or would replace a file that is not a page.
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
        # By the plans of all files, before the selection of cases cuts them.
        "title": title(study.records.files),
        "left_out": shown.left_out,
        "chapters": CHAPTERS,
        "sections": sections,
        "trained": shown.source.holds("training"),
        "profiled": shown.source.holds("profile"),
        "silent": _silent(shown.source, sections),
        **_inserts(environment, shown.source, sections),
        **_summary(shown),
        **_cases(shown.source),
        **_assets(shown.source, sections),
    }
    return environment.get_template("page.html").render(page)


def _silent(source: Source, sections: dict[str, Section]) -> set[str]:
    """Return the chapters that a page without cases leaves out: they would say of each figure that it is absent."""
    if len(source.cases) or not _without_cases(source):
        return set()
    return {name for name, chapter in CHAPTERS.items() if not any(sections[chart].views for chart in chapter.charts)}


def _without_cases(source: Source) -> bool:
    """Return whether the files hold what needs no case: trainings or profiles."""
    return source.holds("training") or source.holds("profile")


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
    """Return the values of the answer and of the chapter on method."""
    records = shown.source.study.records
    return {
        "summary": answer(shown.source, complete=not shown.left_out),
        "facts": compared(records.files),
        "problems": records.problems,
        "notes": records.notes,
        "noise": noise(shown.source.cases),
        "metrics": METRICS.values(),
        "settings": joined([AXES[name].heading for name in SETTINGS]),
        "runs": [(file.run, details(file.run)) for file in records.files],
    }


def _cases(source: Source) -> dict[str, Any]:
    """Return the values of the chapter of every case for readers without a script."""
    first, fixed = of_every_machine(source.cases, MOST_PLAIN), constants(source.cases, CONTEXT)
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
        "plotly": Markup(packed(plotly_js)),  # noqa: S704 (base64)
        "payload": Markup(packed_json(payload(source, listed, charts))),  # noqa: S704 (base64)
    }


def _code(text: str) -> Markup:
    """Return escaped text with the parts between backticks marked as code."""
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
    """Return the commonest reasons of missing values: metric, reason, number of cases.

    The table shows the reasons of each case; numbers in a reason can make it unique.
    """
    counts: dict[tuple[str, str], int] = {}
    for nulls in frame["nulls"]:
        for name, reason in nulls.items():
            counts[name, reason] = counts.get((name, reason), 0) + 1
    commonest = sorted(counts, key=lambda missing: (-counts[missing], missing))[:MOST_REASONS]
    return [(name, reason, counts[name, reason]) for name, reason in sorted(commonest)]
