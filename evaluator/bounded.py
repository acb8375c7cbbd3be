"""Code that nobody proved reads what strangers send in a process of its own, with bounds."""

import os
import subprocess

from evaluator.own_code import PYTHON_VARIABLES, own_module


def run_apart(
    module: str, *arguments: str, given: bytes | None = None, seconds: int
) -> subprocess.CompletedProcess[bytes]:
    """Run a module of this package by itself, without this process's environment.

    Args:
        module: its name; as `__main__` it calls `bound` before it reads anything.
        arguments: of its command line.
        given: its standard input.
        seconds: that it may take.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    names = ("PATH", "LD_LIBRARY_PATH", *PYTHON_VARIABLES)
    needed = {name: os.environ[name] for name in names if name in os.environ}
    return subprocess.run(
        own_module(module, *arguments),
        input=given,
        capture_output=True,
        env=needed,
        timeout=seconds,
        check=False,
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
