"""The live log of a run: its last lines, as strangers may read them."""

import logging
import re
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from submission.redaction import redact
from submission.wording import shown

LINES = 40
LINE_CHARACTERS = 200
CHARACTERS = 8000
"""The log travels with a lease's renewals, so it stays short."""

_STEP = re.compile(r"(\w+) (\d+)/([1-9]\d*)")
_LIBRARIES = ("diffusers", "huggingface_hub", "transformers")
"""Those that print their errors themselves, so that listening takes nothing from a terminal."""


class RunLog:
    """Collects lines and tells each change; any thread may write."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        """Take who is told the newest line of progress, and the whole log."""
        self._tell = tell
        self._lines: deque[str] = deque(maxlen=LINES)
        self._tenths: dict[str, int] = {}
        self._progress = ""
        self._lock = threading.Lock()

    def step(self, line: str) -> None:
        """Take a line of progress; of `STAGE DONE/TOTAL` the log gets each new tenth."""
        with self._lock:
            self._progress = line
            counted = _STEP.fullmatch(line)
            if counted is None:
                self._add(line)
            else:
                stage, tenth = counted[1], 10 * int(counted[2]) // int(counted[3])
                if self._tenths.get(stage) != tenth:
                    self._tenths[stage] = tenth
                    self._add(line)
            self._tell(self._progress, "\n".join(self._lines))

    def add(self, text: str) -> None:
        """Take a line, or several, that are no progress."""
        with self._lock:
            self._add(text)
            self._tell(self._progress, "\n".join(self._lines))

    def _add(self, text: str) -> None:
        time = f"{datetime.now(UTC):%H:%M:%S}"
        # Redacted before it is cut: half a token would not be known as one.
        for line in redact(text).splitlines():
            self._lines.append(f"{time}  {shown(line, LINE_CHARACTERS)}")
        while sum(map(len, self._lines)) + len(self._lines) > CHARACTERS:
            self._lines.popleft()


@contextmanager
def library_errors(hear: Callable[[str], None]) -> Iterator[None]:
    """Let `hear` have what the models' libraries log as an error; warnings are turned off."""
    handler = _Listener(hear)
    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


def hush_libraries() -> None:
    """Leave out libraries' notes to their own developers, which a user can do nothing about."""
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


class _Listener(logging.Handler):
    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        try:
            library = record.name.partition(".")[0]
            self._hear(f"{library}: {record.getMessage()}")
        except Exception:  # noqa: BLE001 - a library's bad message ends no run
            self.handleError(record)
