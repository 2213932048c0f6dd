"""The garbage collector, out of the way while many objects are made that all stay."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Pause the search for cycles: it would walk over all objects again and again as they become more.

    Only for code whose objects form no cycles; whatever else runs meanwhile is freed by its counts as ever.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
