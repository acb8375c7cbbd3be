"""A thread that keeps a lease alive while its holder works."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from protocol.errors import CMCError, LeaseError

_RETRIES = 10
"""A beat that failed is tried again after this part of the time between two."""


@contextlib.contextmanager
def beating(beat: Callable[[], object], seconds: float) -> Iterator[None]:
    """Call `beat` every so many seconds while the block lasts, until it says the lease is lost.

    A store that cannot be reached for a while is tried again; what cannot be said here is said
    when the holder wants to write its result.
    """
    stop = threading.Event()

    def run() -> None:
        pause = seconds
        while not stop.wait(pause):
            try:
                beat()
            except LeaseError:
                return
            except (CMCError, OSError):
                pause = seconds / _RETRIES
            else:
                pause = seconds

    thread = threading.Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
