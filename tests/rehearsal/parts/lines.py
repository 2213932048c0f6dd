"""Lines of ``physics.jsonl``: an object a part, written at once, so that an ended step keeps what it has measured."""

import json
import pathlib
import time
from collections.abc import Callable
from typing import Any


def measure(path: pathlib.Path, name: str, part: Callable[[], dict[str, Any]]) -> None:
    """Run a part and append its line: its values, its span of `time.perf_counter`, or its error."""
    line: dict[str, Any] = {"name": name, "from_s": time.perf_counter()}
    try:
        line |= part()
    except Exception as error:  # noqa: BLE001 - the next part may still work, and the table shows the reason
        line["error"] = f"{type(error).__name__}: {error}"[:500]
    line["to_s"] = time.perf_counter()
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
