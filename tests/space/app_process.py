"""The Space's own entry in a process of its own, as `cmc serve` starts it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from submission.store import FolderStore

ROOT = Path(__file__).parents[2]


@contextmanager
def app_served(store: FolderStore, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve a store while the block lasts and yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    settings = {"CMC_STORE": str(store.folder), "GRADIO_SERVER_PORT": port}
    process = subprocess.Popen(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={**os.environ, **settings, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            assert "the board is on" in process.stdout.readline()
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()
