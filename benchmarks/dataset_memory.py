"""The memory of an import or a stream by the number of rows, in a process of its own.

    python dataset_memory.py import FOLDER
    python dataset_memory.py stream|reshard FOLDER ROWS…

A stream is one pass, and what is noted is its peak until that row: a peak that no longer moves is
told from one that grows with every row. An import is noted once, at its end.
"""

import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SPLITS = ("NSI", "SCI", "AIGI")


class Peak:
    """The most that this process has held since it was made, in bytes."""

    def __init__(self) -> None:
        """Start with what the libraries hold."""
        self._before = status("VmRSS")
        self._anonymous = status("RssAnon")

    def look(self) -> None:
        """Note what is held now."""
        # The kernel keeps a peak of the whole alone, which pages of files are in.
        self._anonymous = max(self._anonymous, status("RssAnon"))

    def read(self, rows: int) -> Mapping[str, int]:
        """Return the peaks until now, with Arrow's own count."""
        import pyarrow as pa

        return {
            "rows": rows,
            "before": self._before,
            # Not `getrusage`, whose maximum a process inherits from the one that started it.
            "resident": status("VmHWM"),
            "anonymous": self._anonymous,
            "arrow": pa.default_memory_pool().max_memory() or 0,
        }


def status(key: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{key}:"))
    return 1024 * int(line.split()[1])


def importing(folder: Path, _: list[int]) -> Iterator[Mapping[str, int]]:
    """Import the archive of a folder."""
    import contextlib
    import shutil

    import datasets  # noqa: F401 - a part of what is held before

    from dataset_cards.cmc_bench.release import find_release
    from evaluator.dataset.importing import import_release

    out = folder / "built"
    shutil.rmtree(out, ignore_errors=True)
    release = find_release(str(folder / "release.json"))
    peak = Peak()

    @contextlib.contextmanager
    def watch(_what: str, _total: int) -> Iterator[Any]:
        yield lambda _: peak.look()

    import_release(folder / "release", out, release, watch)
    yield peak.read(len(release.names))


def streaming(folder: Path, rows: list[int], *, reshard: bool) -> Iterator[Mapping[str, int]]:
    """Decode every picture of a stream, split after split."""
    import datasets

    tables = datasets.load_dataset(str(folder / "built"), "ground_truth", streaming=True)
    streams = [tables[split].reshard() if reshard else tables[split] for split in SPLITS]
    peak = Peak()
    taken = itertools.islice(itertools.chain.from_iterable(streams), max(rows))
    for count, row in enumerate(taken, start=1):
        row["image"].load()
        peak.look()
        if count in rows:
            yield peak.read(count)


def main() -> None:
    """Print the peaks as JSON."""
    what, folder, *rows = sys.argv[1:]
    counts = [int(text) for text in rows]
    if what == "import":
        found = list(importing(Path(folder), counts))
    else:
        found = list(streaming(Path(folder), counts, reshard=what == "reshard"))
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
