"""What an image costs in energy, where a real counter of energy exists."""

from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.figures.chart import Chapter, Chart, sound
from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, bars, blank, hover
from reports.style.rows import each
from reports.style.theme import family_style, label
from reports.style.units import quantity
from reports.style.views import CONDITIONS
from results.schema.axes import SETTINGS, setting_texts


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the cases with a measured energy, each with its model and settings as a name."""
    cases = sound("image_j")(frame)
    return cases.assign(_case=[f"{row.model} {' '.join(setting_texts(row))}" for row in each(cases)])


def energy_bars(frame: pd.DataFrame) -> Figure:
    """Draw bars of joules an image, the most frugal on top."""
    frame = frame.sort_values(["image_j", "_case"], ascending=False)
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(frame),
        xaxis={"title": {"text": "joules an image"}, "rangemode": "tozero"},
        yaxis={**CATEGORIES, "categoryorder": "array", "categoryarray": [label(name) for name in frame["_case"]]},
        barmode="overlay",
    )
    for family, rows in frame.groupby("family", sort=True, dropna=False):
        named = rows.assign(model=rows["_case"])
        words = [f"{hover(row)}<br>{quantity(row.image_j, 'J')} an image" for row in each(rows)]
        bars(figure, family_style(family), label(family), named, rows["image_j"].tolist(), words)
    return figure


def _of_energy(frame: pd.DataFrame) -> str:
    """Return the sentence on the most frugal case, and on the hungriest."""
    ordered = frame.sort_values("image_j")
    first, last = (next(each(rows)) for rows in (ordered.head(1), ordered.tail(1)))
    said = f"{first._case} takes least energy, {quantity(first.image_j, 'J')} an image"  # noqa: SLF001 - our own column
    if len(ordered) > 1:
        said += f"; {last._case} takes {last.image_j / first.image_j:.2g} times as much"  # noqa: SLF001
    return f"{said}."


CHAPTER: Final = Chapter(
    title="Energy",
    lead="Joules of an image, by real counters only: the card's, or the processor's where the system lets it be read.",
    charts={
        "energy": Chart(
            title="Energy of an image",
            definition=(
                "Joules that the card, or the processor packages, spent while the case stepped without a pause, over "
                "its images; idle power is included, and stands in the table. Without a counter there is no figure, "
                "and the table of all cases says why."
            ),
            absent="no case has a measured energy: `--sustained 30` measures it where a counter can be read",
            rows=_named,
            by=CONDITIONS,
            draw=energy_bars,
            takeaway=_of_energy,
            columns=("model", *CONDITIONS, *SETTINGS, "image_j", "img_per_j", "idle_w", "sustained_s"),
            least=1,
        ),
    },
)
