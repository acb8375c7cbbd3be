"""Telling people, or machines, how far a run is, and when it will end."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO, TypeAlias

from evaluator.devices import loaded_cuda

if TYPE_CHECKING:
    from rich.progress import Progress

Advance: TypeAlias = Callable[[int], None]
Reporter: TypeAlias = Callable[[str, int], AbstractContextManager[Advance]]
"""`with report("decode", 48) as advance: advance(1)`; stages may be told of at the same time."""

_RATE_SECONDS = 30.0
"""The expected end follows from the speed of about this long."""


@contextmanager
def silent(stage: str, total: int) -> Iterator[Advance]:
    """Say nothing."""
    del stage, total
    yield lambda _: None


@contextmanager
def progress_bars(note: Callable[[str], None] | None = None) -> Iterator[Reporter]:
    """Draw a bar with rate, expected end and GPU memory for each stage on standard error.

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
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[memory]}"),
    )
    lock = threading.Lock()
    console = Console(stderr=True)
    with Progress(*columns, console=console, speed_estimate_period=_RATE_SECONDS) as bars:
        yield lambda stage, total: _bar(bars, note, lock, stage, total)


@contextmanager
def progress_events(stream: TextIO | None = None) -> Iterator[Reporter]:
    """Write a line of JSON for each step: stage, done, total, seconds, rate and GPU memory.

    Args:
        stream: standard error when not given, so that standard output holds the result alone.
    """
    lock = threading.Lock()
    yield lambda stage, total: _events(stream or sys.stderr, lock, stage, total)


def gpu_memory() -> str:
    """Return how much of the GPU is in use, in words; empty without torch or a GPU."""
    bytes_used = gpu_bytes()
    if bytes_used is None:
        return ""
    used, total = bytes_used
    return f"GPU {used / 1e9:.1f} of {total / 1e9:.0f} GB"


def gpu_bytes() -> tuple[int, int] | None:
    """Return used and whole memory of the current GPU; None without torch or a GPU."""
    cuda = loaded_cuda()
    if cuda is None:
        return None
    free, total = cuda.mem_get_info()
    return total - free, total


@contextmanager
def _bar(
    bars: "Progress",
    note: Callable[[str], None] | None,
    lock: threading.Lock,
    stage: str,
    total: int,
) -> Iterator[Advance]:
    task = bars.add_task(stage, total=total, rate="", memory="")
    done, started = 0, time.perf_counter()

    def advance(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            rate = done / max(1e-9, time.perf_counter() - started)
            bars.update(task, advance=count, rate=_in_words(rate), memory=gpu_memory())
            if note is not None:
                note(f"{stage} {done}/{total}")

    yield advance


@contextmanager
def _events(stream: TextIO, lock: threading.Lock, stage: str, total: int) -> Iterator[Advance]:
    done, started = 0, time.perf_counter()

    def advance(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            seconds = time.perf_counter() - started
            used = gpu_bytes()
            event = {
                "stage": stage,
                "done": done,
                "total": total,
                "seconds": round(seconds, 3),
                "per_second": round(done / max(1e-9, seconds), 4),
                "gpu_bytes": used[0] if used else None,
            }
            stream.write(json.dumps(event) + "\n")
            stream.flush()

    yield advance


def _in_words(per_second: float) -> str:
    return f"{per_second:.1f}/s" if per_second >= 1 else f"{1 / max(per_second, 1e-9):.1f} s each"
