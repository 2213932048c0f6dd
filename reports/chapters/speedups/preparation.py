"""What the preparation of a runtime takes: frame, figure and sentence."""

from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.figures.chart import sound
from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, blank, hover
from reports.style.rows import each
from reports.style.theme import BLUE, PATTERN, VERMILLION, label
from reports.style.units import number, quantity
from results.schema.axes import setting_texts

PROCESS_KINDS: Final = {"compile_s": ("cold", BLUE, ""), "warm_compile_s": ("warm", VERMILLION, "/")}
"""Metrics of a preparation, by their names for people, colours and patterns."""


def prepared(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the cases with a preparation, each with its model and settings as a name."""
    cases = sound("latency_s")(frame)
    cases = cases[cases["compile_s"].gt(0)]
    return cases.assign(_case=[f"{row.model} {' '.join(setting_texts(row))}" for row in each(cases)])


def preparation_bars(frame: pd.DataFrame) -> Figure:
    """Draw for each case the seconds of its preparation, in a first process and in later ones."""
    frame = frame.sort_values(["compile_s", "_case"])
    figure = blank(
        FRAME_PIXELS + 2 * ROW_PIXELS * len(frame),
        xaxis={"title": {"text": "seconds of preparation"}, "rangemode": "tozero"},
        yaxis={**CATEGORIES, "categoryorder": "array", "categoryarray": [label(name) for name in frame["_case"]]},
        barmode="group",
    )
    for metric, (name, color, shape) in PROCESS_KINDS.items():
        rows = frame[frame[metric].gt(0)]
        if rows.empty:
            continue
        figure.add_bar(
            orientation="h",
            name=name,
            y=[label(case) for case in rows["_case"]],
            x=rows[metric].tolist(),
            customdata=[
                f"{hover(row)}<br>{quantity(getattr(row, metric), 's')} to prepare, {name}" for row in each(rows)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            meta={"rows": rows["row"].tolist()},
            marker={"color": color, "pattern": {**PATTERN, "shape": shape}},
        )
    return figure


def of_preparation(frame: pd.DataFrame) -> str:
    """Return the sentence on the longest preparation and the shortest."""
    ordered = frame.sort_values("compile_s")
    first, last = (next(each(rows)) for rows in (ordered.head(1), ordered.tail(1)))
    said = f"{last._case} takes {quantity(last.compile_s, 's')} to prepare"  # noqa: SLF001 - our own column
    warm = number(last.warm_compile_s)
    if warm is not None:
        said += f", {quantity(warm, 's')} from the artefacts of an earlier process"
    if len(ordered) > 1:
        said += f"; {first._case} takes {quantity(first.compile_s, 's')}"  # noqa: SLF001
    return f"{said}."
