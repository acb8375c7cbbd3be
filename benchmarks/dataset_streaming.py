"""Streaming beside Pillow alone, in a process of its own.

    python dataset_streaming.py DATASET_FOLDER FILES default|reshard

A file of 100 rows is streamed, then the same pictures, in memory, are decoded by Pillow alone, and
so on with the next file, so that both meet the same pictures and the same load of the machine. The
libraries' start and the first row are stated apart.
"""

import io
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from dataset_cards.parquet import read_rows


class Clock:
    """Seconds and processor seconds since it was made."""

    def __init__(self) -> None:
        """Start."""
        self._start = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Return both."""
        return time.perf_counter() - self._start[0], time.process_time() - self._start[1]


def beside(folder: Path, count: int, *, reshard: bool) -> dict[str, Any]:
    """Return seconds and processor seconds of the start, and of each file both ways."""
    clock = Clock()
    files = sorted((folder / "ground_truth").glob("*.parquet"))
    # Of every content, not the first alone.
    files = files[:: max(1, len(files) // count)][:count]
    next(pictures(stream_file(files[0], reshard=reshard)))
    start = clock.read()
    turns = []
    for number, file in enumerate(files):
        data = [row["image"]["bytes"] for row in read_rows(file, ["image"])]
        turn: dict[str, Any] = {"file": file.name, "rows": len(data)}
        # Who comes second finds the caches warm: they take turns at that too.
        for way in sorted(("pillow", "stream"), reverse=bool(number % 2)):
            stream = stream_file(file, reshard=reshard)
            source = pictures(stream) if way == "stream" else decoded(data)
            clock = Clock()
            rows = sum(1 for _ in source)
            turn[way] = clock.read()
            if rows != len(data):
                raise SystemExit(f"{file}: {rows} of {len(data)} rows")
        turns.append(turn)
    return {"start": start, "turns": turns}


def stream_file(file: Path, *, reshard: bool) -> Any:
    """Return the stream of one file."""
    import datasets

    files = {"x": [str(file)]}
    stream = datasets.load_dataset("parquet", data_files=files, split="x", streaming=True)
    return stream.reshard() if reshard else stream


def pictures(table: Iterable[Any]) -> Iterator[bool]:
    """Take every picture, decoded."""
    return (bool(row["image"].size) for row in table)


def decoded(data: Iterable[bytes]) -> Iterator[bool]:
    """Decode PNG files with Pillow alone."""
    for file in data:
        Image.open(io.BytesIO(file)).load()
        yield True


def main() -> None:
    """Print the measure as JSON."""
    folder, count, setting = sys.argv[1:]
    found = beside(Path(folder), int(count), reshard=setting == "reshard")
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
