"""Streaming beside Pillow alone, and its memory, each run in a process of its own.

    python dataset_streaming.py beside|memory DATASET_FOLDER ROWS default|plain

The clock of `beside` takes turns: a file of 100 rows is streamed, then the same pictures, in
memory, are decoded by Pillow alone, and so on with the next file, so that both meet the same
pictures and the same load of the machine. The libraries' start and the first row are stated apart.
"""

import io
import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from dataset_cards.parquet import read_rows

SPLITS = ("NSI", "SCI", "AIGI")


class Clock:
    """Seconds and processor seconds since it was made."""

    def __init__(self) -> None:
        """Start."""
        self._start = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Return both."""
        return time.perf_counter() - self._start[0], time.process_time() - self._start[1]


def beside(folder: Path, rows: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return seconds and processor seconds of the start, and of each file both ways."""
    clock = Clock()
    files = sorted((folder / "ground_truth").glob("*.parquet"))[: rows // 100]
    next(pictures(stream_file(files[0], options)))
    start = clock.read()
    turns = []
    for number, file in enumerate(files):
        data = [row["image"]["bytes"] for row in read_rows(file, ["image"])]
        turn: dict[str, Any] = {"file": file.name, "rows": len(data)}
        # Who comes second finds the caches warm: they take turns at that too.
        for way in sorted(("pillow", "stream"), reverse=bool(number % 2)):
            source = pictures(stream_file(file, options)) if way == "stream" else decoded(data)
            clock = Clock()
            count = sum(1 for _ in source)
            turn[way] = clock.read()
            if count != len(data):
                raise SystemExit(f"{file}: {count} of {len(data)} rows")
        turns.append(turn)
    return {"start": start, "turns": turns}


def stream_file(file: Path, options: Mapping[str, Any]) -> Any:
    """Return the stream of one file."""
    import datasets

    return datasets.load_dataset(
        "parquet", data_files={"x": [str(file)]}, split="x", streaming=True, **options
    )


def pictures(table: Iterable[Any]) -> Iterator[bool]:
    """Take every picture, decoded."""
    return (bool(row["image"].size) for row in table)


def decoded(data: Iterable[bytes]) -> Iterator[bool]:
    """Decode PNG files with Pillow alone."""
    for file in data:
        Image.open(io.BytesIO(file)).load()
        yield True


def memory(folder: Path, rows: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the memory before the first row and the most while streaming, in bytes."""
    import datasets

    tables = datasets.load_dataset(str(folder), "ground_truth", streaming=True, **options)
    found = {"before": resident(), "anonymous_peak": 0, "private_peak": 0, "rows": 0}
    taken = itertools.chain.from_iterable(tables[split] for split in SPLITS)
    for _ in pictures(itertools.islice(taken, rows)):
        found["rows"] += 1
        found["anonymous_peak"] = max(found["anonymous_peak"], status("RssAnon"))
        if found["rows"] % 10 == 0:
            found["private_peak"] = max(found["private_peak"], private())
    return {**found, "peak": status("VmHWM")}


def resident() -> int:
    """Return the resident bytes of now."""
    return status("VmRSS")


def status(key: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    # Not `getrusage`, whose maximum a process inherits from the one that started it.
    return _kilobytes(Path("/proc/self/status"), key)


def private() -> int:
    """Return the bytes that are this process's alone (USS)."""
    path = Path("/proc/self/smaps_rollup")
    return _kilobytes(path, "Private_Clean") + _kilobytes(path, "Private_Dirty")


def _kilobytes(path: Path, key: str) -> int:
    lines = path.read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{key}:"))
    return 1024 * int(line.split()[1])


def main() -> None:
    """Print one measure as JSON."""
    import pyarrow.dataset

    what, folder, rows, buffering = sys.argv[1:]
    options = {}
    if buffering == "plain":
        scan = pyarrow.dataset.ParquetFragmentScanOptions(pre_buffer=False)
        options["fragment_scan_options"] = scan
    measure = {"beside": beside, "memory": memory}[what]
    print(json.dumps(measure(Path(folder), int(rows), options)), flush=True)


if __name__ == "__main__":
    main()
