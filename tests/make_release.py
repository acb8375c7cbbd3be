"""Releases in the form of the published archives: of real pictures, or of small painted ones."""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

SOURCES = ("DALLE3", "MJ", "PG", "Pixart", "SDXL", "SSD")
I2T = ("gpt4v", "qwen")
Archives = dict[str, dict[str, bytes]]


def real_pictures(shared: Path, per_content: int | None = None) -> dict[str, bytes]:
    """Return the real pictures' files; AI-generated ones under names that the benchmark has."""
    pictures: dict[str, bytes] = {}
    counts: Counter[str] = Counter()
    of_content: Counter[str] = Counter()
    for path in sorted((shared / "images").glob("*.png")):
        content, source, _ = path.stem.split("_")
        if of_content[content] == per_content:
            continue
        if content == "AIGI":
            source = SOURCES[of_content[content] % len(SOURCES)]
        group = f"{content}_{source}"
        pictures[f"{group}_{counts[group]:03d}.png"] = path.read_bytes()
        counts[group] += 1
        of_content[content] += 1
    return pictures


def real_captions(shared: Path, names: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Return the real captions of these names, row by row as they were released."""
    wanted, tables = set(names), {}
    for i2t in I2T:
        text = (shared / "captions" / f"{i2t}.csv").read_bytes().decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        tables[i2t] = [row for row in rows if row["name"] in wanted]
    return tables


def made_captions(names: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    names = list(names)
    return {i2t: [{"name": name, "text": f"{i2t} on {name}"} for name in names] for i2t in I2T}


def archives_of(pictures: Mapping[str, bytes]) -> Archives:
    """Return the three archives' files; the references are what a blur and a mosaic leave."""
    return {
        "ground-truth.zip": dict(pictures),
        "reference-image.zip": {name: _changed(data, _blur) for name, data in pictures.items()},
        "reference-pix.zip": {name: _changed(data, _mosaic) for name, data in pictures.items()},
    }


def pack(
    folder: Path, archives: Archives, captions: Mapping[str, list[dict[str, str]]], **expect: Any
) -> Path:
    """Write a release and `expect.json`, which states what it must hold; return the folder."""
    folder.mkdir(parents=True)
    for name, files in archives.items():
        with zipfile.ZipFile(folder / name, "w") as archive:
            for path, data in files.items():
                archive.writestr(path, data)
    for i2t, rows in captions.items():
        # With the byte-order mark and the nameless first column of the released files.
        with (folder / f"{i2t}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["", "name", "text"])
            writer.writerows([i, row["name"], row["text"]] for i, row in enumerate(rows))
    names = archives["ground-truth.zip"]
    counts = Counter(Path(name).stem.rpartition("_")[0] for name in names)
    stated = {
        "name": "of-a-test",
        "ground_truth": counts,
        "shortest_side": 64,
        "longest_side": 1024,
        "references": ["image", "pixel"],
        "captions": list(captions),
        "distorted": {},
        "mos_references": 0,
        "mos": 0,
        "viewers": 0,
        **expect,
    }
    (folder / "expect.json").write_text(json.dumps(stated))
    return folder


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _changed(data: bytes, change: Callable[[Image.Image], Image.Image]) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        return png(change(picture.convert("RGB")))


def _blur(picture: Image.Image) -> Image.Image:
    return picture.reduce(8).resize(picture.size, Image.Resampling.BICUBIC)


def _mosaic(picture: Image.Image) -> Image.Image:
    return picture.reduce(64).resize(picture.size, Image.Resampling.BICUBIC)
