"""Stages that overlap: a stage runs ahead of the next one by a bounded number of items.

A pipeline is generators inside one another; `ahead` puts one of them into a thread of its own. The
work inside is torch's, ffmpeg's or a server's, which leave Python's lock alone.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_TICK_SECONDS = 0.1

LOADING = threading.RLock()
"""Held while a model is loaded: accelerate gives every module of the process empty weights while
it builds one, in other threads too."""


@dataclass(frozen=True, slots=True)
class _End:
    """The last thing in a queue: the stage is done, or why it is not."""

    error: BaseException | None


def ahead(items: Iterable[T], depth: int) -> Iterator[T]:
    """Yield `items`, which another thread makes, at most `depth` of them in advance.

    An error of that thread, or an interrupt, is raised here after the items that came before it.
    Closing this generator stops the thread after the item that it is at, and closes `items`.

    Args:
        items: is only touched by the other thread.
        depth: how many finished items may wait.
    """
    ready: queue.Queue[T | _End] = queue.Queue(depth)
    stopped = threading.Event()
    thread = threading.Thread(target=_make, args=(items, ready, stopped), daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        thread.join()


def _make(items: Iterable[T], ready: "queue.Queue[T | _End]", stopped: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            _put(item, ready, stopped)
            if stopped.is_set():
                break
    except BaseException as caught:  # noqa: BLE001 - it is raised where the items are read
        error = caught
    finally:
        close(items)
    _put(_End(error), ready, stopped)


def _put(item: "T | _End", ready: "queue.Queue[T | _End]", stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            ready.put(item, timeout=_TICK_SECONDS)
        except queue.Full:
            continue
        return


def in_pool(
    function: Callable[[T], R], items: Iterable[T], *, workers: int, window: int
) -> Iterator[R]:
    """Yield `function(item)` in the items' order, `workers` at a time.

    Args:
        function: is called in threads.
        items: are taken as they are needed.
        workers: number of threads.
        window: how many items may be begun or finished and not yet yielded.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= window:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            close(items)


def close(items: Iterable[Any]) -> None:
    """Close a generator, so that the threads behind it end; other iterables need nothing."""
    end = getattr(items, "close", None)
    if end is not None:
        end()
