"""Telling people how far a run is, and when it will end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.progress import Progress

Advance: TypeAlias = Callable[[int], None]
Reporter: TypeAlias = Callable[[str, int], AbstractContextManager[Advance]]
"""`with report("decode", 48) as advance: advance(1)`"""


@contextmanager
def silent(stage: str, total: int) -> Iterator[Advance]:
    """Say nothing."""
    del stage, total
    yield lambda _: None


@contextmanager
def progress_bars(note: Callable[[str], None] | None = None) -> Iterator[Reporter]:
    """Draw a bar with an estimate for each stage on standard error.

    Args:
        note: is told every step as one line of text, for a queue that others look at.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("  {task.description:<10}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield lambda stage, total: _bar(bars, note, stage, total)


@contextmanager
def _bar(
    bars: "Progress", note: Callable[[str], None] | None, stage: str, total: int
) -> Iterator[Advance]:
    task = bars.add_task(stage, total=total)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        bars.advance(task, count)
        if note is not None:
            note(f"{stage} {done}/{total}")

    yield advance
