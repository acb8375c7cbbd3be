"""Memory that is freed and wanted again: glibc's allocator, told to keep it."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Parameters of mallopt, from glibc's malloc.h."""
_KEPT_BYTES = 1 << 30


def keep_freed_memory() -> None:
    """Let what one layer's values took be used for the next, on Linux with glibc; else do nothing.

    glibc asks the kernel for every block above 32 MiB and gives it back at once, and the kernel
    clears each page again: with pictures of 512x512 on a CPU that is a seventh of a run's time
    (`benchmarks/allocator.py`). One arena for all threads, because the others hold 64 MiB at most;
    those that are there stay, so this is called before a thread asks for memory. A process keeps up
    to 1 GiB that it does not use.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return
    mallopt(_ARENA_MAX, 1)
    mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
    mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
