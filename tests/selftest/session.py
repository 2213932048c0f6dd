"""The frame of the sessions `selftest`, `bench-self` and `scale`: arguments, table, exit code, figures in documents."""

import argparse
import datetime
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bench.process import ask
from bench.process.forkserver import ForkServer
from reports.text.grid import markdown_table
from tests.selftest.rows import WORDS, Row, show

DOCUMENTS: Final = pathlib.Path(__file__).parents[2] / "docs"
_INTERVAL: Final = " ["
"""Begins the interval of a figure, which a line of several figures leaves out."""


def parsed(
    arguments: list[str] | None,
    *,
    name: str,
    purpose: str | None,
    choices: Iterable[str],
    quick: bool = False,
    device: bool = False,
) -> argparse.Namespace:
    """Return the arguments of a session: ``names``, ``write``, and ``quick`` and ``device`` if the session has them."""
    choices = list(choices)
    parser = argparse.ArgumentParser(prog=f"python -m nox -s {name} --", description=purpose)
    parser.add_argument("names", nargs="*", choices=[[], *choices], help="rows to measure; all, if none is named")
    parser.add_argument("--write", action="store_true", help="write the figures of these rows into the documents")
    if quick:
        parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    if device:
        parser.add_argument("--device", default="cpu", help="cpu, or an accelerator such as cuda:0, with its own rows")
    options = parser.parse_args(arguments)
    if options.write and quick and options.quick:
        parser.error("--write is for whole figures; leave out --quick")
    options.names = options.names or choices
    return options


def finish(
    session: str,
    names: Sequence[str],
    measure: Callable[[str], Iterable[Row]],
    *,
    write: bool,
    documents: pathlib.Path = DOCUMENTS,
) -> int:
    """Print the rows as they come, write them if asked, and return 1 if any is broken, else 3 if any is unsure.

    Args:
        session: name of the session.
        names: names of rows.
        measure: function that yields the rows of a name.
        write: whether to write the figures of a name as soon as it is measured.
        documents: folder of the documents.
    """
    verdicts: set[bool | None] = set()
    for name in names:
        measured = []
        for row in measure(name):
            show(row)
            measured.append(row)
        if write:
            write_figures(documents, session, name, machine(), measured)
        verdicts |= {row.kept for row in measured}
    return 1 if False in verdicts else 3 if None in verdicts else 0


def machine() -> str:
    """Return the hardware and the versions with which the figures were measured."""
    with ForkServer() as server:
        _, environment = ask.environment(server, {"cpu"})
    return (
        f"{environment.usable_cores} cores of {environment.cpu}, torch {environment.torch}, Python {environment.python}"
    )


def write_figures(documents: pathlib.Path, session: str, name: str, machine: str, rows: Sequence[Row]) -> None:
    """Replace all between the markers of a name of rows by its figures.

    Raises:
        ValueError: No document, or more than one, has the markers.
    """
    begin, end = f"<!-- begin: {session} {name} -->\n", f"<!-- end: {session} {name} -->\n"
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(documents.glob("*.md"))}
    marked = [path for path, text in texts.items() if 0 <= text.find(begin) < text.find(end)]
    if len(marked) != 1:
        raise ValueError(f"{len(marked)} documents have the markers {begin.strip()} and {end.strip()}, not 1")
    before, _, rest = texts[marked[0]].partition(begin)
    _, _, after = rest.partition(end)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    head = f"`{name}`, on {machine}, {today}:\n\n"
    marked[0].write_text(before + begin + head + _table(rows) + end + after, encoding="utf-8")


def _table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown; variants of a promise share a line."""
    promises: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        promises.setdefault((row.what, row.bound), []).append(row)
    lines = [[what, bound, _figures(group), _verdict(group)] for (what, bound), group in promises.items()]
    # A bar inside a cell would have to be escaped, which not every reader of Markdown understands.
    plain = [[cell.replace("|", "/") for cell in line] for line in lines]
    return markdown_table(["what", "must be", "measured", "promise"], plain)


def _figures(group: Sequence[Row]) -> str:
    if len(group) == 1:
        return " ".join(filter(None, [f"{group[0].variant}:" if group[0].variant else "", group[0].figure]))
    return "; ".join(f"{row.variant}: {row.figure.partition(_INTERVAL)[0]}" for row in group)


def _verdict(group: Sequence[Row]) -> str:
    verdicts = {row.kept for row in group}
    worst = False if False in verdicts else None if None in verdicts else True
    return WORDS[worst].lower()
