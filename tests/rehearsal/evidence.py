"""Evidence: the files that the steps leave, as the bounds read them. Nothing here needs torch.

Errors are LookupErrors whose message is the reason: the number is unknown.
"""

import csv
import json
import pathlib
import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results.schema.lines.record import Record


class Missing(LookupError):  # noqa: N818 - a finding, not an error of ours
    """The evidence lacks a number; the message is the reason."""


class Evidence:
    """The files of a rehearsal."""

    def __init__(self, out: pathlib.Path, runs: pathlib.Path) -> None:
        """Read from `out`, the folder of the rehearsal's files, and `runs`, which has a folder of run files a step."""
        self._out = out
        self._runs = runs

    def line(self, name: str) -> dict[str, Any]:
        """Return the last line of ``physics.jsonl`` with this name."""
        lines = [line for line in self._lines() if line.get("name") == name]
        if not lines:
            raise Missing(f"physics.jsonl has no line {name!r}")
        if "error" in lines[-1]:
            raise Missing(lines[-1]["error"])
        return lines[-1]

    def number(self, name: str, field: str) -> float:
        """Return a number of a line of ``physics.jsonl``."""
        line = self.line(name)
        value = line.get(field)
        if not isinstance(value, (int, float)):
            raise Missing(line.get("nulls", {}).get(field, f"{name} has no {field}"))
        return float(value)

    def fact(self, name: str) -> float:
        """Return a number of ``facts.json``, by its name or by a path of names such as ``held_share.power``."""
        path = self._out / "facts.json"
        if not path.exists():
            raise Missing("there is no facts.json")
        facts = json.loads(path.read_text(encoding="utf-8"))
        value = facts
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, (int, float)):
            reasons = facts.get("nulls", {})
            raise Missing(reasons.get(name.partition(".")[0], reasons.get("nvml", f"facts.json has no {name}")))
        return float(value)

    def folder(self, step: str) -> pathlib.Path:
        """Return the folder of a step's run files."""
        return self._runs / step

    def records(self, step: str, **axes: object) -> "list[Record]":
        """Return the records of a step whose cases have these values on their axes."""
        from results.storage.reader import load  # noqa: PLC0415 - a bare machine may lack msgspec

        folder = self.folder(step)
        if not folder.is_dir() or not any(folder.glob("*.jsonl")):
            raise Missing(f"the step {step} left no run file")
        chosen = [r for r in load(folder) if all(getattr(r.case, axis) == value for axis, value in axes.items())]
        if not chosen:
            raise Missing(f"the run of {step} has no record of {', '.join(map(str, axes.values())) or 'any case'}")
        return chosen

    def clocks(self, column: str, from_s: float = 0.0, to_s: float = float("inf")) -> list[float]:
        """Return the values of a column of ``clocks.csv`` in a span of `time.perf_counter`."""
        path = self._out / "clocks.csv"
        if not path.exists():
            raise Missing("there is no clocks.csv")
        lines = path.read_text(encoding="utf-8").splitlines()
        reasons = [line.removeprefix("# ") for line in lines if line.startswith("#")]
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        # The last line may be torn, where the sampler was ended.
        values = [float(row[column]) for row in rows if row.get(column) and from_s <= float(row["t_s"]) <= to_s]
        if not values:
            raise Missing(reasons[0] if reasons else f"clocks.csv has no {column} in that time")
        return values

    def _lines(self) -> Iterator[dict[str, Any]]:
        path = self._out / "physics.jsonl"
        if path.exists():
            for text in path.read_text(encoding="utf-8").splitlines():
                try:
                    yield json.loads(text)
                except ValueError:
                    continue  # torn, where a step was ended


def median_step_s(record: "Record") -> float:
    """Return the median of the steady steps of a record, in seconds."""
    if record.samples is None:
        raise Missing(f"{record.case.key} is {record.status}: {record.cause}")
    steps = record.samples.step_s
    return statistics.median(steps[record.samples.warmup :] or steps)
