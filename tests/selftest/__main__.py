"""Prove what the project claims: `python -m tests.selftest [NAMES…]` (or `nox -s selftest`), some minutes.

Each row of its table is a promise with the measured figure: ``kept``, ``BROKEN``, or ``unsure`` where the figure is
not certain enough. Simulations have fixed seeds and repeat their figures; live rows do not. `--write` puts the figures
into docs/trust.md.
"""

import importlib
import sys
from collections.abc import Iterator
from typing import Final

from tests.selftest.rows import Row
from tests.selftest.session import finish, parsed

ROWS: Final = {
    "null": "tests.selftest.simulations:null",
    "coverage": "tests.selftest.simulations:coverage",
    "warmup": "tests.selftest.simulations:warmup",
    "power": "tests.selftest.simulations:power",
    "history": "tests.selftest.histories:history",
    "trainings": "tests.selftest.trainings:trainings",
    "live": "tests.selftest.live:null",
    "planted": "tests.selftest.live:planted",
    "spread": "tests.selftest.live:spread",
    "verdict-time": "tests.selftest.live:verdict_time",
    "faults": "tests.selftest.faults:faults",
    "lost": "tests.selftest.lost:lost",
    "field": "tests.selftest.fields:field_rows",
    "field-live": "tests.selftest.live_fields:field_live",
    "resume": "tests.selftest.accuracy:resume",
    "digits": "tests.selftest.accuracy:digits",
    "fashion-mnist": "tests.selftest.accuracy:fashion_mnist",
    "loader": "tests.selftest.loader:loader",
    "detect": "tests.selftest.heads:detect",
    "segment": "tests.selftest.heads:segment",
    "memory": "tests.selftest.memory:memory",
    "advice": "tests.selftest.advice:layout_and_batch",
    "best": "tests.selftest.replays:replays",
}
"""For each name, the function of `quick` that yields its rows; imported only when its rows are measured."""


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 if a promise is broken, else 3 if a figure is not certain enough."""
    options = parsed(arguments, name="selftest", purpose=__doc__, choices=ROWS, quick=True)

    def measure(name: str) -> Iterator[Row]:
        module, function = ROWS[name].split(":")
        yield from getattr(importlib.import_module(module), function)(quick=options.quick)

    return finish("selftest", options.names, measure, write=options.write)


if __name__ == "__main__":
    sys.exit(main())
