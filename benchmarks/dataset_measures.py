"""What `dataset.py` measures, each in a process of its own: python dataset_measures.py NAME DIR."""

import io
import itertools
import json
import random
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from dataset_cards.cmc_bench.release import find_release
from evaluator.dataset.importing import import_release

READ_ROWS = 100
SPLITS = ("NSI", "SCI", "AIGI")


def run_measure(name: str, folder: Path) -> Mapping[str, float]:
    """Return seconds, processor seconds, rows and the process's peak memory of one measure."""
    setup, rows = MEASURES[name]
    step = setup(folder)
    started, worked = time.perf_counter(), time.process_time()
    count = sum(1 for _ in itertools.islice(step, rows))
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - worked,
        "rows": count,
    }


def decode(data: bytes) -> bool:
    """Decode a PNG with Pillow alone."""
    Image.open(io.BytesIO(data)).load()
    return True


def plain_files(folder: Path) -> list[Path]:
    """Return the plain folder's files in the order of the dataset's splits."""
    paths = (folder / "plain").iterdir()
    return sorted(paths, key=lambda path: (SPLITS.index(path.name.split("_")[0]), path.name))


def from_memory(folder: Path) -> Iterator[bool]:
    """Decode files that are in memory when the clock starts."""
    files = [path.read_bytes() for path in plain_files(folder)[:READ_ROWS]]
    return (decode(data) for data in files)


def from_folder(folder: Path) -> Iterator[bool]:
    """Read and decode files."""
    return (decode(path.read_bytes()) for path in plain_files(folder))


def from_zip(folder: Path) -> Iterator[bool]:
    """Read and decode the files of the zip."""
    archive = zipfile.ZipFile(folder / "release" / "ground-truth.zip")
    return (decode(archive.read(path.name)) for path in plain_files(folder))


def importing(folder: Path) -> Iterator[bool]:
    """Import the archive, into the folder that the other measures read."""
    out = folder / "built"
    shutil.rmtree(out, ignore_errors=True)
    release = find_release(str(folder / "release.json"))

    def step() -> Iterator[bool]:
        import_release(folder / "release", out, release)
        yield from itertools.repeat(True, len(release.names))

    return step()


def load_cold(folder: Path) -> Iterator[bool]:
    """Load into an empty cache."""
    shutil.rmtree(folder / "hf-cache", ignore_errors=True)
    return load_warm(folder)


def load_warm(folder: Path) -> Iterator[bool]:
    """Load what the cache has."""
    import datasets  # noqa: F401 - so that the clock does not count the import

    def step() -> Iterator[bool]:
        yield from itertools.repeat(True, len(whole_table(folder)))

    return step()


def random_access(folder: Path) -> Iterator[bool]:
    """Decode rows in a random order."""
    table = whole_table(folder)
    order = random.Random(0).sample(range(READ_ROWS), READ_ROWS)
    return (bool(table[i]["image"].size) for i in order)


def random_files(folder: Path) -> Iterator[bool]:
    """Take the files of rows in a random order, not decoded."""
    import datasets

    table = whole_table(folder).cast_column("image", datasets.Image(decode=False))
    order = random.Random(0).sample(range(READ_ROWS), READ_ROWS)
    return (bool(table[i]["image"]["bytes"]) for i in order)


def whole_table(folder: Path) -> Any:
    """Return all splits as one table, through the cache."""
    import datasets

    cache = str(folder / "hf-cache")
    tables = datasets.load_dataset(str(folder / "built"), "ground_truth", cache_dir=cache)
    return datasets.concatenate_datasets([tables[split] for split in SPLITS])


Setup = Callable[[Path], Iterator[bool]]
MEASURES: dict[str, tuple[Setup, int | None]] = {
    "import": (importing, None),
    "load_dataset, cold": (load_cold, None),
    "load_dataset, warm": (load_warm, None),
    "decode, Pillow alone, bytes in memory": (from_memory, READ_ROWS),
    "decode, plain folder": (from_folder, READ_ROWS),
    "decode, zip": (from_zip, READ_ROWS),
    "decode, dataset, random access": (random_access, READ_ROWS),
    "no decoding, dataset, random access": (random_files, READ_ROWS),
}
"""What is set up before the clock runs, and how many rows are then taken; None for all."""


if __name__ == "__main__":
    print(json.dumps(run_measure(sys.argv[1], Path(sys.argv[2]))), flush=True)
