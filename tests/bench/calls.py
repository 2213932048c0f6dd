"""What tests of the command line share."""

import subprocess
import sys


def bad(result):
    """The error line of a call that must have failed as bad input does."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err


def python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], check=False, text=True, stderr=subprocess.PIPE, timeout=60, **options
    )
