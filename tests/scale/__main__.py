"""Prove the promises at scale: `python -m tests.scale [NAMES…]` (or `nox -s scale`), some minutes.

Makes run files of 10,000 and of 100,000 records (`tests.scale.collection`) and times what reads them
(`tests.scale.measures`). Each row of the table is a promise with the measured figure: ``kept`` or ``BROKEN``.
Seconds are those of the fastest of three processes on a machine that should do nothing else. `--write` puts the
figures into docs/trust.md.
"""

import pathlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import results
from tests.scale.collection import write, write_machines
from tests.scale.measures import Cost, cost
from tests.selftest.rows import Row
from tests.selftest.session import finish, parsed

SMALL, LARGE, PAGE = 10_000, 100_000, 5_000
MACHINES, VARIANTS = 4, 200
_MOST_BYTES: Final = 6e6
_ATTEMPTS: Final = 3
_MOST_TIMES: Final = 11
"""Ten times the records may take so many times the processor time and memory: ten, and a tenth for noise."""


class Promise(NamedTuple):
    """What is timed, on what, and how long it may take."""

    what: str
    measure: str
    replicates: int
    """Of a case: cases are fewer where they are more."""
    seconds: float
    peak_bytes: float | None = None
    """How much memory it may take, where that is promised."""


PROMISES: Final = {
    "table": Promise("load + table", "table", 1, 6, peak_bytes=1.5e9),
    "compare": Promise("load + compare of two halves, one replicate", "compare", 1, 6),
    "compare-2": Promise("load + compare of two halves, two replicates", "compare", 2, 6),
    "text": Promise("load + table + all its text", "text", 1, 60),
    "page": Promise("load + page", "page", 1, 20),
}


def rows(name: str, folders: dict[tuple[int, int], pathlib.Path]) -> Iterator[Row]:
    """Yield the rows of one promise."""
    promise = PROMISES[name]
    small, large = (
        cost(promise.measure, folders[size, promise.replicates], attempts=_ATTEMPTS) for size in (SMALL, LARGE)
    )
    yield Row(
        f"{promise.what}, {LARGE:,} records",
        _told(large),
        f"≤ {promise.seconds:g} s",
        large.seconds <= promise.seconds,
    )
    if promise.peak_bytes is not None:
        little = f"≤ {promise.peak_bytes / 1e9:g} GB"
        peak = large.peak_bytes
        yield Row(f"{promise.what}, its peak memory", f"{peak / 1e9:.2f} GB", little, peak <= promise.peak_bytes)
    times = [large.cpu_seconds / small.cpu_seconds, large.peak_bytes / small.peak_bytes]
    told = f"{times[0]:.1f} times as long, {times[1]:.1f} times the memory"
    what = f"{promise.what}, against {SMALL:,} records: {_told(small)}"
    yield Row(what, told, f"≤ {_MOST_TIMES}", max(times) <= _MOST_TIMES)
    if name == "page":
        found = cost(promise.measure, folders[PAGE, 1], attempts=_ATTEMPTS)
        yield Row(
            f"{promise.what}, {PAGE:,} rows",
            _told(found),
            f"≤ {promise.seconds:g} s",
            found.seconds <= promise.seconds,
        )
        with tempfile.TemporaryDirectory() as place:
            yield page_bytes(pathlib.Path(place))


def page_bytes(folder: pathlib.Path) -> Row:
    """Return the row of the page's size."""
    import reports  # noqa: PLC0415 (what is timed must not find it loaded)

    write_machines(folder, MACHINES, VARIANTS)
    size = reports.build(results.load(folder), folder / "page.html").stat().st_size
    what = f"page of {VARIANTS} variants on {MACHINES} machines, its size"
    return Row(what, f"{size / 1e6:.2f} MB", f"≤ {_MOST_BYTES / 1e6:g} MB", size <= _MOST_BYTES)


def _told(found: Cost) -> str:
    return f"{found.seconds:.2f} s ({found.cpu_seconds:.2f} s CPU), {found.peak_bytes / 1e6:.0f} MB"


def _written(scratch: pathlib.Path, names: Sequence[str]) -> dict[tuple[int, int], pathlib.Path]:
    """Write the run files that the rows of these names read, and return the folders by size and replicates."""
    folders = {}
    wanted = {(size, PROMISES[name].replicates) for name in names for size in (SMALL, LARGE)}
    for size, replicates in sorted(wanted | ({(PAGE, 1)} if "page" in names else set())):
        folder = folders[size, replicates] = scratch / f"{size}x{replicates}"
        written = write(folder, size, replicates=replicates)
        sys.stdout.write(f"        {size:,} records of {written / size:,.0f} bytes, {replicates} a case\n")
    return folders


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 if a promise is broken."""
    options = parsed(arguments, name="scale", purpose=__doc__, choices=PROMISES)
    with tempfile.TemporaryDirectory() as scratch:
        folders = _written(pathlib.Path(scratch), options.names)
        return finish("scale", options.names, lambda name: rows(name, folders), write=options.write)


if __name__ == "__main__":
    sys.exit(main())
