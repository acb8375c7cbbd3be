"""The dataset's speed and memory beside a plain folder and a zip of the same PNG files.

    python benchmarks/dataset.py [--images DIR] [--rounds N]

Packs real pictures under 1,000 of the benchmark's names, each made another file by a text chunk,
imports them with `cmc dataset import`, and reads them in every way, each in a process of its own,
in rounds so that all ways meet the same load of the machine. Prints the medians, and writes them to
benchmarks/results/dataset.md.
"""

import argparse
import io
import itertools
import json
import os
import platform
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image

from dataset_cards.cmc_bench.release import CMC_BENCH_1, find_release
from evaluator.dataset.importing import import_release
from protocol.files import write_whole

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "dataset.md"
SIZES = (100, 1_000)
READ_ROWS = 100
SPLITS = ("NSI", "SCI", "AIGI")


def main() -> None:
    """Measure everything, print it and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=ROOT.parent / "shared" / "images")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="keep what is prepared there (3 GB)")
    parser.add_argument("--measure", choices=[*MEASURES], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(run_measure(options.measure, options.folder)), flush=True)
        # pyarrow's threads can keep a process that leaves a stream half-read from ending.
        os._exit(0)
    with tempfile.TemporaryDirectory() as name:
        folder = options.work or Path(name)
        for size in SIZES:
            if not (folder / str(size)).exists():
                prepare(options.images, folder / str(size), size)
        text = report(folder, options.rounds)
    print(text)
    write_whole(RESULTS, text.encode())


def prepare(images: Path, folder: Path, size: int) -> None:
    """Write `size` pictures as a plain folder and as a release's archive."""
    (folder / "plain").mkdir(parents=True)
    (folder / "release").mkdir()
    names = sorted(CMC_BENCH_1.expected_names, key=lambda name: zlib.crc32(name.encode()))[:size]
    sources = itertools.cycle(sorted(images.glob("*.png")))
    with zipfile.ZipFile(folder / "release" / "ground-truth.zip", "w") as archive:
        for name, source in zip(names, sources, strict=False):
            data = with_note(source.read_bytes(), name)
            (folder / "plain" / name).write_bytes(data)
            archive.writestr(name, data)
    release = replace(
        CMC_BENCH_1,
        name=f"{size} pictures",
        names=tuple(names),
        shortest_side=1,
        references=(),
        captions=(),
        distorted={},
        mos=0,
        mos_references=0,
        viewers=0,
    )
    (folder / "release.json").write_text(json.dumps(asdict(release), default=list))


def with_note(data: bytes, note: str) -> bytes:
    """Return a PNG with a text chunk behind its header: another file, the same pixels."""
    body = b"tEXtComment\0" + note.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


def run_measure(name: str, folder: Path) -> dict[str, float]:
    """Return seconds, processor seconds, rows and the process's peak memory of one measure."""
    setup, rows = MEASURES[name]
    step = setup(folder)
    base_bytes = peak_bytes()
    started, worked = time.perf_counter(), time.process_time()
    count = sum(1 for _ in itertools.islice(step, rows))
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - worked,
        "rows": count,
        "base_bytes": base_bytes,
        "peak_bytes": peak_bytes(),
    }


def peak_bytes() -> int:
    """Return the most memory that this process has held since it was started."""
    # Not `getrusage`, whose maximum a process inherits from the one that started it.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])


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


def built(folder: Path) -> Path:
    """Return the dataset folder, imported once."""
    out = folder / "built"
    if not out.exists():
        import_release(folder / "release", out, find_release(str(folder / "release.json")))
    return out


def importing(folder: Path) -> Iterator[bool]:
    """Import the archive."""
    out = folder / "again"
    shutil.rmtree(out, ignore_errors=True)
    release = find_release(str(folder / "release.json"))

    def step() -> Iterator[bool]:
        import_release(folder / "release", out, release)
        yield from itertools.repeat(True, len(release.names))

    return step()


def streaming(folder: Path) -> Iterator[bool]:
    """Stream and decode the rows, the first request for data included."""
    import datasets

    table = datasets.load_dataset(str(built(folder)), "ground_truth", streaming=True)
    rows = itertools.chain.from_iterable(table[split] for split in SPLITS)
    return (bool(row["image"].size) for row in rows)


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
    tables = datasets.load_dataset(str(built(folder)), "ground_truth", cache_dir=cache)
    return datasets.concatenate_datasets([tables[split] for split in SPLITS])


Setup = Callable[[Path], Iterator[bool]]
MEASURES: dict[str, tuple[Setup, int | None]] = {
    "import": (importing, None),
    "load_dataset, cold": (load_cold, None),
    "load_dataset, warm": (load_warm, None),
    "decode, Pillow alone, bytes in memory": (from_memory, READ_ROWS),
    "decode, plain folder": (from_folder, READ_ROWS),
    "decode, zip": (from_zip, READ_ROWS),
    "decode, dataset, streaming": (streaming, READ_ROWS),
    "decode, dataset, random access": (random_access, READ_ROWS),
    "no decoding, dataset, random access": (random_files, READ_ROWS),
    "all rows, streaming": (streaming, None),
}
"""What is set up before the clock runs, and how many rows are then taken; None for all."""
READING = [name for name in MEASURES if name.startswith(("decode", "no decoding"))]
LOADING = ["load_dataset, cold", "load_dataset, warm"]
MEMORY = ["import", "all rows, streaming"]


def measure(name: str, folder: Path) -> dict[str, float]:
    """Run one measure in a process of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_HOME": str(folder / "hf-home"),
    }
    done = subprocess.run(
        [sys.executable, __file__, "--measure", name, "--folder", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(folder: Path, rounds: int) -> str:
    """Return everything as Markdown."""
    large = folder / str(SIZES[-1])
    built(large)
    built(folder / str(SIZES[0]))
    names = [*LOADING, *READING]
    measure(LOADING[0], large)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(measure(name, large))
    memory = {(name, size): measure(name, folder / str(size)) for name in MEMORY for size in SIZES}
    total_bytes = sum(path.stat().st_size for path in (large / "plain").iterdir())
    sizes = f"{SIZES[-1]:,} PNG files, {total_bytes / 1e6:,.0f} MB"
    return "\n".join([*heading(sizes, rounds), *speed_table(found), *memory_table(memory)])


def heading(sizes: str, rounds: int) -> list[str]:
    """Return what was measured, where and when."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("datasets", "pyarrow", "pillow"))
    machine = (
        f"`python benchmarks/dataset.py --rounds {rounds}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{os.cpu_count()} cores of an {platform.machine()} machine, load "
        f"{os.getloadavg()[2]:.1f}, Python {platform.python_version()}, {libraries}."
    )
    how = (
        f"{sizes} in the page cache: real pictures of three contents, of which the first "
        f"{READ_ROWS} are decoded. Medians of {rounds} rounds, each measure in a process of its "
        "own; the range is in brackets."
    )
    return ["# The dataset, read and written", "", machine, "", how, ""]


def speed_table(found: dict[str, list[dict[str, float]]]) -> list[str]:
    """Return medians of the rounds."""
    base = statistics.median(run["seconds"] for run in found[READING[0]])
    base_cpu = statistics.median(run["cpu_seconds"] for run in found[READING[0]])
    lines = [
        "| what | rows | rows/s | time beside Pillow alone | processor time beside it |",
        "|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        rates = sorted(run["rows"] / run["seconds"] for run in runs)
        seconds = statistics.median(run["seconds"] for run in runs)
        cpu = statistics.median(run["cpu_seconds"] for run in runs)
        is_reading = name in READING
        beside = f"{seconds / base:.2f} | {cpu / base_cpu:.2f}" if is_reading else "- | -"
        rows = int(runs[0]["rows"])
        lines.append(
            f"| {name} | {rows:,} | {statistics.median(rates):,.1f} "
            f"[{rates[0]:,.1f} to {rates[-1]:,.1f}] | {beside} |"
        )
    return [*lines, ""]


def memory_table(memory: dict[tuple[str, int], dict[str, float]]) -> list[str]:
    """Return rates and memory of all rows."""
    lines = [
        "Once each, all rows:",
        "",
        "| what | rows | rows/s | memory before, MB | peak, MB |",
        "|---|---|---|---|---|",
    ]
    for (name, size), run in memory.items():
        lines.append(
            f"| {name} | {size:,} | {run['rows'] / run['seconds']:,.1f} "
            f"| {run['base_bytes'] / 1e6:,.0f} | {run['peak_bytes'] / 1e6:,.0f} |"
        )
    return [*lines, ""]


if __name__ == "__main__":
    main()
