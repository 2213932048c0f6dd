"""The figures of the page as PNG or SVG files, drawn by Kaleido in a Chrome or Chromium of this machine."""

import asyncio
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

from plotly.graph_objs._figure import Figure

from reports.page.content import content
from reports.style.theme import label, template
from reports.style.views import constants, constants_text
from results.analysis.study import Study
from results.errors import InputError
from results.storage.files import replace
from results.storage.reader import Records

IMAGE_WIDTH: Final = 1200
"""Width in pixels of CSS; a PNG has `SCALE` times as many pixels."""
SCALE: Final = {"png": 2, "svg": 1}
TITLE_PIXELS: Final = 64
"""Height of the text above a figure, which the page shows outside of it."""
LABEL_PIXELS: Final = 64
"""Height of three lines of labels, as an axis on top has them."""
NOWHERE: Final = "http://127.0.0.1:9"
"""A proxy at the discard port, where no server listens: it stops the browser's own requests, such as updates. The page
that Kaleido draws on needs only local files."""

_SAFE: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LONGEST_NAME: Final = 100

ImageFormat = Literal["png", "svg"]


def write_images(figures: Iterable[tuple[str, Figure]], folder: Path, fmt: ImageFormat = "png") -> list[Path]:
    """Write each figure to ``<name>.<fmt>`` in `folder`, all in one session of the browser.

    Existing files are replaced after all figures are drawn. A missing folder is made.

    Args:
        figures: unique names of lower-case ASCII letters, digits, ``-`` and ``_``, with their figures.
        folder: the folder of the files.
        fmt: ``png`` of 2400 pixels width, or ``svg``.

    Raises:
        InputError: Kaleido or a browser is missing or fails, or the files cannot be written.
        ValueError: A name is not a safe name of a file, or not unique.
    """
    with tempfile.TemporaryDirectory() as drawn:
        names: list[str] = []
        _draw(_named(figures, names), Path(drawn), fmt)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot write to {str(folder)!r}: {error.strerror or error}; choose another folder for the figures"
            ) from None
        for name in names:
            replace(folder / f"{name}.{fmt}", (Path(drawn) / f"{name}.{fmt}").read_bytes(), "the figures")
        return [folder / f"{name}.{fmt}" for name in names]


def figures(records: Records | Study) -> Iterator[tuple[str, Figure]]:
    """Draw every view of every figure of the page, under the text of the page."""
    study = records if isinstance(records, Study) else Study(records)
    for figure in content(study).figures:
        for index, view in enumerate(figure.views, start=1):
            where = constants_text(constants(view.frame, figure.chart.by))
            yield f"{figure.name}-{index}", titled(figure.chart.draw(view.frame), figure.chart.title, where)


def titled(figure: Figure, title: str, subtitle: str) -> Figure:
    """Return `figure` with its text above it, higher by `TITLE_PIXELS`, for readers who see it alone."""
    height = figure.layout.height + TITLE_PIXELS
    # Plotly makes room for labels above a plot, but not for a title above them.
    labels = LABEL_PIXELS if figure.layout.xaxis.side == "top" else 0
    return figure.update_layout(
        height=height,
        margin={"t": TITLE_PIXELS + labels},
        legend={"yref": "container", "y": 1 - TITLE_PIXELS / height, "yanchor": "top"},
        title={
            "text": label(title),
            "subtitle": {"text": label(subtitle), "font": {"size": 13}},
            "font": {"size": 18},
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 1 - 10 / height,
            "yanchor": "top",
        },
    )


def _named(figures: Iterable[tuple[str, Figure]], names: list[str]) -> Iterator[tuple[str, Figure]]:
    """Yield `figures`, and collect their names in `names`."""
    for name, figure in figures:
        if not _SAFE.fullmatch(name) or len(name) > _LONGEST_NAME:
            raise ValueError(f"{name!r} is no name of a figure's file")
        if name in names:
            raise ValueError(f"two figures are named {name!r}")
        names.append(name)
        yield name, figure


def _draw(figures: Iterable[tuple[str, Figure]], folder: Path, fmt: ImageFormat) -> None:
    """Draw `figures` into an empty folder; raise `InputError`, with the remedy, where the browser fails."""
    try:
        import kaleido  # noqa: PLC0415 (optional: only who writes images needs it)
        from choreographer.errors import ChannelClosedError  # noqa: PLC0415
        from kaleido.errors import BrowserClosedError, BrowserFailedError, ChromeNotFoundError  # noqa: PLC0415
    except ImportError:
        raise InputError(
            "images of figures need Kaleido, which is not installed: pip install 'resnet-bench[figures]'"
        ) from None
    try:
        kaleido.write_fig_from_object_sync(
            (_order(name, figure, folder, fmt) for name, figure in figures),
            kopts={
                "mathjax": False,  # by default Kaleido loads it from a server
                "proxy_server": NOWHERE,
                "path": os.environ.get("BROWSER_PATH"),  # or a Chrome of kaleido_get_chrome would come first
            },
            cancel_on_error=True,
        )
    except ChromeNotFoundError:
        raise InputError(
            "images of figures need a browser, and Kaleido finds none: install Chrome or Chromium, or run"
            " kaleido_get_chrome, or name the program in BROWSER_PATH"
        ) from None
    except (BrowserFailedError, BrowserClosedError, ChannelClosedError, TimeoutError, asyncio.CancelledError) as error:
        raise InputError(
            f"the browser that draws the images does not work ({type(error).__name__}): name another Chrome or"
            " Chromium in BROWSER_PATH, or run kaleido_get_chrome"
        ) from None


def _order(name: str, figure: Figure, folder: Path, fmt: ImageFormat) -> dict[str, Any]:
    """Return the input of Kaleido: the figure in the page's light theme, at its own height."""
    content = figure.to_plotly_json()  # type: ignore[no-untyped-call]
    return {
        "fig": {"data": content["data"], "layout": {**content["layout"], "template": template("light")}},
        "path": folder / f"{name}.{fmt}",
        "opts": {"format": fmt, "width": IMAGE_WIDTH, "scale": SCALE[fmt]},
    }
