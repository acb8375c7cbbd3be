"""A stranger's Parquet file becomes plain rows, in a process of its own.

What a Parquet file says of its size when unpacked is its maker's word, and what reads it is C++.
So it is read where a lie costs nothing: with bounds on memory, time and what is answered, without
this process's environment. The answer is JSON, which cannot unpack to more than it is.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import RecordError

if TYPE_CHECKING:
    from evaluator.recompute import Row

MEMORY_BYTES = 4 << 30
"""Of address space, of which pyarrow takes 1 GiB before it reads anything."""
_ANSWER_BYTES = 1 << 30
_SECONDS = 300
_REFUSED = 3
"""Status of a reader that says why; any other that is not 0 is that of one that came to its end."""


def read_apart(content: bytes, memory_bytes: int = MEMORY_BYTES) -> "list[Row]":
    """Return the rows of a per-image table that somebody else made.

    Args:
        content: a Parquet file.
        memory_bytes: what reading it may take.

    Raises:
        RecordError: it is none, has other columns or types, or takes more than it may.
    """
    needed = {k: os.environ[k] for k in ("PATH", "LD_LIBRARY_PATH") if k in os.environ}
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given", Path(folder) / "answer"
        given.write_bytes(content)
        command = [sys.executable, "-I", __file__, str(given), str(answer), str(memory_bytes)]
        try:
            done = subprocess.run(
                command, stderr=subprocess.PIPE, env=needed, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise RecordError(
                f"the per-image scores could not be read in {_SECONDS} seconds"
            ) from error
        if done.returncode == _REFUSED:
            raise RecordError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
        if done.returncode:
            raise RecordError(
                f"the per-image scores could not be read in {memory_bytes:,} bytes of memory"
            )
        rows: list[Row] = json.loads(answer.read_bytes())
        return rows


def _main(given: str, answer: str, memory_bytes: str) -> int:
    _bound(int(memory_bytes))
    from evaluator.reported_rows import read_table

    try:
        rows = read_table(Path(given).read_bytes())
        Path(answer).write_text(json.dumps(rows), encoding="utf-8")
    except RecordError as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    return 0


def _bound(memory_bytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_ANSWER_BYTES, _ANSWER_BYTES))


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
