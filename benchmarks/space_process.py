"""A page of `benchmarks/space_pages.py` in a process of its own, and what the process holds."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PAGES = Path(__file__).with_name("space_pages.py")


@contextlib.contextmanager
def running(kind: str, size: int) -> Iterator[tuple[str, dict[str, float], int]]:
    """Serve a page in a process; yield its address, the phases of its start and its id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(PAGES), kind, str(size)]
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(process.stdout.readline if process.stdout else str, "")
        phases = json.loads(next(line for line in lines if line.startswith("{")))
        yield f"http://127.0.0.1:{port}/", phases, process.pid
    finally:
        process.kill()
        process.wait()


def resident_mb(pid: int) -> float:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096 / 2**20
