"""The queue as it was last read: many readers ask, and one thread asks the store."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from space.snapshot import say_briefly, utc_now
from submission.store import QueueEntry

FRESH_SECONDS = 4.0
"""What is younger is shown without asking the store."""
PATIENCE_SECONDS = 3.0
"""How long a reader waits for the first answer."""
GLANCE_SECONDS = 0.4
"""How long a reader waits for a newer one, which a folder gives at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """The queue of one moment."""

    entries: Sequence[QueueEntry]
    read_at: str
    """UTC, ISO 8601; empty where the store never answered."""
    problem: str
    """Why it is not newer; empty where it is new."""
    failing_since: str


class QueueKeeper:
    """Holds the newest view; a store that does not answer holds nobody up."""

    def __init__(self, read: Callable[[], Sequence[QueueEntry]]) -> None:
        """Keep what reads the queue; it is not called yet."""
        self._read = read
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked_at = float("-inf")
        self._view = QueueView(entries=(), read_at="", problem="", failing_since="")

    def newest(self) -> QueueView:
        """Return the newest view, asking the store when it is old."""
        with self._lock:
            is_reading = self._thread is not None and self._thread.is_alive()
            if not is_reading and time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._thread = threading.Thread(target=self._try, name="queue", daemon=True)
                self._thread.start()
            thread = self._thread
        if thread is not None and not (self._view.problem and thread.is_alive()):
            thread.join(GLANCE_SECONDS if self._view.read_at else PATIENCE_SECONDS)
        view = self._view
        if not view.read_at and not view.problem:
            return QueueView(
                entries=(),
                read_at="",
                problem="the store has not answered yet",
                failing_since=utc_now(),
            )
        return view

    def renew(self) -> QueueView:
        """Read the queue now: a change has just been made.

        Raises:
            CMCError: the store does not answer.
        """
        self._take(self._read())
        return self._view

    def _try(self) -> None:
        try:
            self._take(self._read())
        except Exception as error:  # noqa: BLE001 - whatever a store answers, the page stays up
            old = self._view
            self._view = QueueView(
                entries=old.entries,
                read_at=old.read_at,
                problem=say_briefly(error),
                failing_since=old.failing_since or utc_now(),
            )
        finally:
            self._asked_at = time.monotonic()

    def _take(self, entries: Sequence[QueueEntry]) -> None:
        self._view = QueueView(
            entries=tuple(entries), read_at=utc_now(), problem="", failing_since=""
        )
        self._asked_at = time.monotonic()
