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
        _grow_old()
        gc.enable()


def _grow_old() -> None:
    """Move all objects into the oldest generation, or the first object made from now on would have all walked over.

    They are looked at again when the whole heap is. Nothing is done where a program keeps frozen objects of its own.
    """
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.unfreeze()
