"""Generators that run at the same time."""

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Final, TypeVar

_PATIENCE_S: Final = 0.1
"""Seconds between two attempts to stop threads: they may begin to wait for something new in between."""

Item = TypeVar("Item")


class _Ended:
    """The end of a generator, with its error if it failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def merged(streams: Sequence[Generator[Item, None, None]], *, stop: Callable[[], None]) -> Generator[Item, None, None]:
    """Run generators at the same time, each in a thread, and yield their items as they come, in the caller's thread.

    A generator does not wait until its items are taken. The error of a generator is raised here, and ends the others.
    However this generator ends, all threads have ended before it does.

    Args:
        streams: the generators; they are closed in their threads.
        stop: function that ends whatever the threads wait for; it is called again until they have ended.
    """
    items: queue.SimpleQueue[Item | _Ended] = queue.SimpleQueue()
    stopped = threading.Event()

    def run(stream: Generator[Item, None, None]) -> None:
        end = _Ended()
        try:
            with contextlib.closing(stream):
                for item in stream:
                    if stopped.is_set():
                        break
                    items.put(item)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            end = _Ended(error)
        items.put(end)

    # Daemons: a second interrupt, while they are stopped, must not wait for them.
    threads = [threading.Thread(target=run, args=(stream,), daemon=True) for stream in streams]
    try:
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            item = items.get()
            if not isinstance(item, _Ended):
                yield item
                continue
            running -= 1
            if item.error is not None:
                raise item.error
    finally:
        stopped.set()
        _stop(threads, stop)


def _stop(threads: Sequence[threading.Thread], stop: Callable[[], None]) -> None:
    """Wait until all threads have ended."""
    for thread in threads:
        while thread.is_alive():
            stop()
            thread.join(_PATIENCE_S)
