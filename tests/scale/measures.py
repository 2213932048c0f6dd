"""What is timed at scale, in fresh processes: `python -m tests.scale.measures NAME FOLDER` prints the JSON of a cost.

What is imported on first use counts, as whoever calls it waits for it.
"""

import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import results


class Cost(NamedTuple):
    """Time and memory of a measure."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    """Largest resident size of the process."""


def _load(folder):
    records = results.load(folder / "base", folder / "new")
    if records.problems:
        raise SystemExit(f"not valid: {records.problems[0]}")
    return records


def _table(folder):
    records = _load(folder)
    return records, results.table(records)


def _compare(folder):
    sides = results.load(folder / "base"), results.load(folder / "new")
    return sides, results.compare(*sides)


def _text(folder):
    from reports.text.findings import study_text  # noqa: PLC0415 (what it imports is its own cost)

    study = results.Study(_load(folder))
    return study, study_text(study, "table")


def _page(folder):
    import reports  # noqa: PLC0415 (what it imports is its own cost)

    with tempfile.TemporaryDirectory() as output:
        records = _load(folder)
        reports.build(records, pathlib.Path(output) / "report.html")
    return records


MEASURES: Final[dict[str, Callable[[pathlib.Path], object]]] = {
    "load": _load,
    "table": _table,
    "compare": _compare,
    "text": _text,
    "page": _page,
}


def cost(name: str, folder: pathlib.Path, *, attempts: int) -> Cost:
    """Return the cost of the fastest of `attempts` fresh processes; other work only slows processes down."""
    command = [sys.executable, "-m", "tests.scale.measures", name, str(folder)]
    answers = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(attempts)]
    return min(Cost(*json.loads(answer)) for answer in answers)


def _peak_bytes() -> int:
    """Return the peak of this process; getrusage's may be that of the process which started it."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    started, started_cpu = time.perf_counter(), time.process_time()
    made = MEASURES[sys.argv[1]](pathlib.Path(sys.argv[2]))  # bound, so that freeing it is not timed
    took = Cost(time.perf_counter() - started, time.process_time() - started_cpu, _peak_bytes())
    sys.stdout.write(json.dumps(took))
