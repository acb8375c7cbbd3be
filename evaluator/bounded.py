"""Code that nobody proved reads what strangers send in a process of its own, with bounds."""

import os
import subprocess
import sys


def run_apart(
    file: str, *arguments: str, given: bytes | None = None, seconds: int
) -> subprocess.CompletedProcess[bytes]:
    """Run a file of this package by itself, without this process's environment.

    Args:
        file: what `__file__` says there; it calls `bound` before it reads anything.
        arguments: of its command line.
        given: its standard input.
        seconds: that it may take.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    needed = {k: os.environ[k] for k in ("PATH", "LD_LIBRARY_PATH") if k in os.environ}
    command = [sys.executable, "-I", file, *arguments]
    return subprocess.run(
        command, input=given, capture_output=True, env=needed, timeout=seconds, check=False
    )


def last_line(done: "subprocess.CompletedProcess[bytes]") -> str:
    """Return the last that a process said of why it ended; empty where it said nothing."""
    return done.stderr.decode(errors="replace").strip().rpartition("\n")[2]


def bound(*, memory_bytes: int, seconds: int, file_bytes: int | None = None) -> None:
    """Bound this process, for good: address space, processor time, the size of files."""
    import resource

    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: seconds}
    limits[resource.RLIMIT_AS] = memory_bytes
    if file_bytes is not None:
        limits[resource.RLIMIT_FSIZE] = file_bytes
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
