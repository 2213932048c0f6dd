"""Prove what the project claims: `python -m tests.selftest [NAMES…]` (or `nox -s selftest`), some minutes.

Each row of its table is a promise with the figure that was seen: ``kept``, ``BROKEN``, or ``unsure`` where the figure
does not tell. Simulations have fixed seeds and give the same figures each time; what is measured live does not.
"""

import argparse
import importlib
import sys
from typing import Final

from tests.selftest.rows import show

ROWS: Final = {
    "null": "tests.selftest.simulations:null",
    "coverage": "tests.selftest.simulations:coverage",
    "warmup": "tests.selftest.simulations:warmup",
    "power": "tests.selftest.simulations:power",
    "history": "tests.selftest.histories:history",
    "live": "tests.selftest.live:null",
    "planted": "tests.selftest.live:planted",
    "spread": "tests.selftest.live:spread",
    "verdict-time": "tests.selftest.live:verdict_time",
    "faults": "tests.selftest.faults:faults",
    "lost": "tests.selftest.lost:lost",
}
"""Where each name's rows come from: a function of `quick` that yields them, imported only when it is asked for."""


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 where a promise is broken, else 3 where a figure is not sure enough."""
    parser = argparse.ArgumentParser(prog="python -m tests.selftest", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *ROWS], help="those to prove; all, if none is named")
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    options = parser.parse_args(arguments)
    verdicts = []
    for name in options.names or ROWS:
        module, function = ROWS[name].split(":")
        for row in getattr(importlib.import_module(module), function)(quick=options.quick):
            show(row)
            verdicts.append(row[3])
    if False in verdicts:
        return 1
    return 0 if all(verdicts) else 3


if __name__ == "__main__":
    sys.exit(main())
