"""The dataset's speed and memory beside a plain folder and a zip of the same PNG files.

    python benchmarks/dataset.py [--images DIR] [--rounds N]

Packs real pictures under 1,000 of the benchmark's names, each made another file by a text chunk,
imports them with `cmc dataset import`, and reads them in every way, each in a process of its own,
in rounds so that all ways meet the same load of the machine. Memory is measured last, at 100 to
3,000 rows. Prints everything, and writes it to benchmarks/results/dataset.md. Needs 8 GB of disk.
What is measured stands in dataset_measures.py, dataset_streaming.py and dataset_memory.py.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dataset_measures import MEASURES, READ_ROWS

from dataset_cards.cmc_bench.release import CMC_BENCH_1
from protocol.files import write_whole

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "dataset.md"
TIMED = 1_000
SIZES = (100, 300, 1_000, 3_000)
STREAMED_FILES = 5
"""Of about 100 rows, streamed beside Pillow in each round."""
SLIM: Mapping[str, str] = {
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""Makes glibc, and Arrow through it, give freed memory back at once: what is left is in use."""
IMPORTS: Sequence[tuple[Mapping[str, str], Sequence[int]]] = (({}, SIZES), (SLIM, (100, 1_000)))
STREAMS: Sequence[tuple[str, Mapping[str, str], Sequence[int]]] = (
    ("stream", {}, SIZES),
    ("reshard", {}, SIZES),
    ("stream", SLIM, SIZES[:-1]),
)
READING = [name for name in MEASURES if name.startswith(("decode", "no decoding"))]
NAMES = {"default": "as it comes", "stream": "streaming", "reshard": "streaming, `.reshard()`"}


def main() -> None:
    """Measure everything, print it and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=ROOT.parent / "shared" / "images")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--work", type=Path, help="keep what is prepared there (8 GB)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.work or Path(name)
        for size in SIZES:
            if not (folder / str(size)).exists():
                prepare(options.images, folder / str(size), size)
        text = report(folder, options.rounds)
    print(text)
    write_whole(RESULTS, text.encode())


def prepare(images: Path, folder: Path, size: int) -> None:
    """Write `size` pictures as a release's archive, and those that are timed as a plain folder."""
    (folder / "plain").mkdir(parents=True)
    (folder / "release").mkdir()
    known = {
        f"{group}_{number:03d}.png"
        for group, count in CMC_BENCH_1.ground_truth.items()
        # Three times the benchmark's numbers where more is asked for than it has.
        for number in range(count if size <= TIMED else 3 * count)
    }
    names = sorted(known, key=lambda name: zlib.crc32(name.encode()))[:size]
    sources = itertools.cycle(sorted(images.glob("*.png")))
    with zipfile.ZipFile(folder / "release" / "ground-truth.zip", "w") as archive:
        for name, source in zip(names, sources, strict=False):
            data = with_note(source.read_bytes(), name)
            if size == TIMED:
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


def run(script: str, *arguments: object, work: Path, **environment: str) -> Any:
    """Run a script beside this one in a process of its own and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
            "HF_HOME": str(work / "hf-home"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def report(work: Path, rounds: int) -> str:
    """Return everything as Markdown."""
    timed = work / str(TIMED)
    load = os.getloadavg()[0]
    started = time.monotonic()
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in MEASURES}
    streams: dict[str, list[Any]] = {"default": [], "reshard": []}
    for _ in range(rounds):
        for name, runs in found.items():
            runs.append(run("dataset_measures.py", name, timed, work=work))
        for setting, turns in streams.items():
            arguments = (timed / "built", STREAMED_FILES, setting)
            turns.append(run("dataset_streaming.py", *arguments, work=work))
    memory = memory_table(work)
    total_bytes = sum(path.stat().st_size for path in (timed / "plain").iterdir())
    sizes = f"{TIMED:,} PNG files, {total_bytes / 1e6:,.0f} MB"
    took = f"It took {(time.monotonic() - started) / 60:.1f} minutes."
    return "\n".join(
        [
            *heading(sizes, rounds, load, took),
            *speed_table(found),
            *streaming_table(streams),
            *memory,
        ]
    )


def heading(sizes: str, rounds: int, load: float, took: str) -> list[str]:
    """Return what was measured, where and when."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("datasets", "pyarrow", "pillow"))
    machine = (
        f"`python benchmarks/dataset.py --rounds {rounds}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{os.cpu_count()} cores of an {platform.machine()} machine, Python "
        f"{platform.python_version()}, {libraries}. The load was {load:.1f} in the beginning and "
        f"{os.getloadavg()[0]:.1f} in the end, where two measures of memory run side by side. "
        f"{took}"
    )
    how = (
        f"{sizes} in the page cache: real pictures of three contents. Medians of {rounds} rounds, "
        "each measure in a process of its own; the range is in brackets."
    )
    return ["# The dataset, read and written", "", machine, "", how, ""]


def speed_table(found: Mapping[str, Sequence[Mapping[str, float]]]) -> list[str]:
    """Return medians of the rounds."""
    base = statistics.median(one["seconds"] for one in found[READING[0]])
    base_cpu = statistics.median(one["cpu_seconds"] for one in found[READING[0]])
    lines = [
        f"Decoded are the first {READ_ROWS} rows. An import decodes every picture, too.",
        "",
        (
            "| what | rows | rows/s | rows per processor second | time beside Pillow alone "
            "| processor time beside it |"
        ),
        "|---|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        rates = sorted(one["rows"] / one["seconds"] for one in runs)
        seconds = statistics.median(one["seconds"] for one in runs)
        cpu = statistics.median(one["cpu_seconds"] for one in runs)
        beside = f"{seconds / base:.2f} | {cpu / base_cpu:.2f}" if name in READING else "- | -"
        rows = int(runs[0]["rows"])
        lines.append(
            f"| {name} | {rows:,} | {statistics.median(rates):,.1f} "
            f"[{rates[0]:,.1f} to {rates[-1]:,.1f}] | {rows / cpu:,.1f} | {beside} |"
        )
    return [*lines, ""]


def streaming_table(streams: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return how streaming compares with Pillow on the same rows, file by file in turns."""
    lines = [
        (
            f"Streaming beside Pillow alone on the same bytes in memory: {STREAMED_FILES} files a "
            "round, in turns, in one process. The start, which is to import the libraries, to "
            "open the dataset and to have the first row, is apart. `.reshard()` makes a shard of "
            "each row group."
        ),
        "",
        (
            "| streaming | rows | files | time beside Pillow | processor time beside it "
            "| start, s | processor s |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for setting, rounds in streams.items():
        turns = [turn for one in rounds for turn in one["turns"]]
        ratios = [
            sorted(turn["stream"][at] / turn["pillow"][at] for turn in turns) for at in (0, 1)
        ]
        start = [statistics.median(one["start"][at] for one in rounds) for at in (0, 1)]
        beside = " | ".join(
            f"{statistics.median(found):.2f} [{found[0]:.2f} to {found[-1]:.2f}]"
            for found in ratios
        )
        rows = sum(turn["rows"] for turn in turns)
        what = f"{NAMES[setting]} | {rows:,} | {len(turns)}"
        lines.append(f"| {what} | {beside} | {start[0]:.1f} | {start[1]:.1f} |")
    return [*lines, ""]


def note(setting: Mapping[str, str]) -> str:
    """Return what stands behind a name in the table of memory."""
    return ", *slim*" if setting else ""


def memory_table(work: Path) -> list[str]:
    """Return the memory of imports and streams by the number of rows."""
    lines = [
        (
            "Peak memory in MB until so many rows. An import is a process for each size; a stream "
            f"is one pass over {SIZES[-1]:,} rows. Before: the libraries, and for a stream the "
            "opened dataset. Anonymous is what no file stands behind; Arrow is what Arrow says "
            "that it has handed out at most, so the difference is Python's, Pillow's, and what "
            f"allocators keep. *slim* is `{' '.join(f'{k}={v}' for k, v in SLIM.items())}`."
        ),
        "",
        "| what | rows | before | resident | anonymous | Arrow |",
        "|---|---|---|---|---|---|",
    ]

    def peaks(what: str, size: int, setting: Mapping[str, str], rows: Sequence[int] = ()) -> Any:
        return run("dataset_memory.py", what, work / str(size), *rows, work=work, **setting)

    def imports(size: int) -> list[tuple[str, Any]]:
        """One size's imports go to one folder, so they run one after the other."""
        return [
            (f"import{note(setting)}", peaks("import", size, setting))
            for setting, sizes in IMPORTS
            if size in sizes
        ]

    # Memory does not hang on the load: as many at a time as there are cores, the longest first.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [item for items in list(pool.map(imports, SIZES[::-1]))[::-1] for item in items]
        streamed = pool.map(lambda s: peaks(s[0], SIZES[-1], s[1], s[2]), STREAMS)
        for (what, setting, _), noted in zip(STREAMS, streamed, strict=True):
            found.append((f"{NAMES[what]}{note(setting)}", noted))
    keys = ("before", "resident", "anonymous", "arrow")
    for name, noted in sorted(found, key=lambda item: item[0]):
        for peak in noted:
            figures = " | ".join(f"{peak[key] / 1e6:,.0f}" for key in keys)
            lines.append(f"| {name} | {peak['rows']:,} | {figures} |")
    return [*lines, ""]


if __name__ == "__main__":
    main()
