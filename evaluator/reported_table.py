"""A stranger's Parquet file becomes plain rows, in a process of its own.

What a Parquet file says of its size when unpacked is its maker's word, and what reads it is C++.
So it is read where a lie costs nothing: with bounds on memory, time and what is answered, without
this process's environment. The answer is JSON, which cannot unpack to more than it is.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.bounded import bound, last_line, run_apart
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
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given", Path(folder) / "answer"
        given.write_bytes(content)
        paths = str(given), str(answer)
        try:
            done = run_apart(__name__, *paths, str(memory_bytes), seconds=_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise RecordError(
                f"the per-image scores could not be read in {_SECONDS} seconds"
            ) from error
        if done.returncode == _REFUSED:
            raise RecordError(last_line(done))
        if done.returncode:
            said = last_line(done) or f"its reader ended with {done.returncode}"
            most = f"{memory_bytes:,} bytes of memory"
            raise RecordError(f"the per-image scores could not be read in {most}: {said[:300]}")
        rows: list[Row] = json.loads(answer.read_bytes())
        return rows


def _main(given: str, answer: str, memory_bytes: str) -> int:
    bound(memory_bytes=int(memory_bytes), seconds=_SECONDS, file_bytes=_ANSWER_BYTES)
    from evaluator.reported_rows import read_table

    try:
        rows = read_table(Path(given).read_bytes())
        Path(answer).write_text(json.dumps(rows), encoding="utf-8")
    except RecordError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
