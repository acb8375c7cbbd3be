"""The dataset's speed and memory beside a plain folder and a zip of the same PNG files.

    python benchmarks/dataset.py [--images DIR] [--rounds N]

Packs real pictures under 1,000 of the benchmark's names, each made another file by a text chunk,
imports them with `cmc dataset import`, and reads them in every way, each in a process of its own,
in rounds so that all ways meet the same load of the machine. Prints the medians, and writes them to
benchmarks/results/dataset.md. What is measured stands in dataset_measures.py and
dataset_streaming.py.
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
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dataset_measures import MEASURES, READ_ROWS, built

from dataset_cards.cmc_bench.release import CMC_BENCH_1
from protocol.files import write_whole

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "dataset.md"
SIZES = (100, 1_000)
SETTINGS: Sequence[Mapping[str, str]] = (
    {},
    {"MALLOC_MMAP_THRESHOLD_": "262144"},
    {"MALLOC_MMAP_THRESHOLD_": "262144", "USE_TORCH": "0"},
)
"""Of the environment. The first makes glibc give freed pictures back at once instead of raising
its own threshold; the second keeps `datasets` from importing torch."""
READING = [name for name in MEASURES if name.startswith(("decode", "no decoding"))]
LOADING = ["load_dataset, cold", "load_dataset, warm"]


def main() -> None:
    """Measure everything, print it and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=ROOT.parent / "shared" / "images")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep what is prepared there (3 GB)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.work or Path(name)
        for size in SIZES:
            if not (folder / str(size)).exists():
                prepare(options.images, folder / str(size), size)
            built(folder / str(size))
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
    large = work / str(SIZES[-1])
    load = os.getloadavg()[0]
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in [*LOADING, *READING]}
    run("dataset_measures.py", LOADING[0], large, work=work)
    streams: dict[str, list[Any]] = {"default": [], "plain": []}
    for _ in range(rounds):
        for name, runs in found.items():
            runs.append(run("dataset_measures.py", name, large, work=work))
        for setting, turns in streams.items():
            arguments = ("beside", large / "built", SIZES[-1], setting)
            turns.append(run("dataset_streaming.py", *arguments, work=work))
    total_bytes = sum(path.stat().st_size for path in (large / "plain").iterdir())
    sizes = f"{SIZES[-1]:,} PNG files, {total_bytes / 1e6:,.0f} MB"
    return "\n".join(
        [
            *heading(sizes, rounds, load),
            *speed_table(found),
            *streaming_table(streams),
            *memory_table(work),
        ]
    )


def heading(sizes: str, rounds: int, load: float) -> list[str]:
    """Return what was measured, where and when."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("datasets", "pyarrow", "pillow"))
    machine = (
        f"`python benchmarks/dataset.py --rounds {rounds}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{os.cpu_count()} cores of an {platform.machine()} machine, Python "
        f"{platform.python_version()}, {libraries}. Other work ran beside it: the load was "
        f"{load:.1f} in the beginning and {os.getloadavg()[0]:.1f} in the end, so processor "
        "time says more than time."
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
        f"Decoded are the first {READ_ROWS} rows.",
        "",
        "| what | rows | rows/s | time beside Pillow alone | processor time beside it |",
        "|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        rates = sorted(one["rows"] / one["seconds"] for one in runs)
        seconds = statistics.median(one["seconds"] for one in runs)
        cpu = statistics.median(one["cpu_seconds"] for one in runs)
        beside = f"{seconds / base:.2f} | {cpu / base_cpu:.2f}" if name in READING else "- | -"
        lines.append(
            f"| {name} | {int(runs[0]['rows']):,} | {statistics.median(rates):,.1f} "
            f"[{rates[0]:,.1f} to {rates[-1]:,.1f}] | {beside} |"
        )
    return [*lines, ""]


def streaming_table(streams: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return how streaming compares with Pillow on the same rows, file by file in turns."""
    lines = [
        (
            f"Streaming beside Pillow alone on the same bytes in memory, {SIZES[-1]:,} rows a "
            "round: file by file in turns, in one process. The start, which is to import the "
            "libraries, to open the dataset and to have the first row, is apart."
        ),
        "",
        (
            "| streaming | files | time beside Pillow | processor time beside it | start, s "
            "| processor s |"
        ),
        "|---|---|---|---|---|---|",
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
        name = {"default": "as it comes", "plain": "`pre_buffer=False`"}[setting]
        lines.append(f"| {name} | {len(turns)} | {beside} | {start[0]:.1f} | {start[1]:.1f} |")
    return [*lines, ""]


def memory_table(work: Path) -> list[str]:
    """Return the memory of imports and streams of both sizes."""
    lines = [
        (
            "Memory in MB, a fresh process for each size. The streams are of the same folder, "
            "whose files have 100 rows: its first 100 rows, or all. Before: with the libraries "
            "loaded and the dataset opened."
        ),
        "",
        "| what | rows | before | peak resident | peak anonymous | peak private (USS) |",
        "|---|---|---|---|---|---|",
    ]
    for size in SIZES:
        found = run("dataset_measures.py", "import", work / str(size), work=work)
        lines.append(f"| import | {size:,} | - | {found['peak_bytes'] / 1e6:,.0f} | - | - |")
    folder = work / str(SIZES[-1]) / "built"
    for setting in SETTINGS:
        name = " ".join(["streaming", *(f"`{key}={value}`" for key, value in setting.items())])
        for size in SIZES:
            arguments = ("memory", folder, size, "default")
            found = run("dataset_streaming.py", *arguments, work=work, **setting)
            keys = ("before", "peak", "anonymous_peak", "private_peak")
            figures = " | ".join(f"{found[key] / 1e6:,.0f}" for key in keys)
            lines.append(f"| {name} | {int(found['rows']):,} | {figures} |")
    return [*lines, ""]


if __name__ == "__main__":
    main()
