"""From the archives to `load_dataset` in another process: the same table, the same pixels."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from loopback_hub import LoopbackHub
from make_release import archives_of, pack, real_captions, real_pictures

from evaluator.__main__ import main

REPO = "acme/CMC-Bench"
DIGEST = """
import hashlib, json, sys, datasets
datasets.config.USE_PARQUET_EXPORT = False

def digest(split):
    assert split.features["name"].dtype == "string"
    total = hashlib.sha256()
    for row in split:
        picture = row.pop("image", None)
        if picture is not None:
            total.update(repr((picture.size, picture.mode)).encode() + picture.tobytes())
        total.update(repr(sorted(row.items())).encode())
    return total.hexdigest(), str(split.features)

def load(*arguments, **options):
    return datasets.load_dataset(*arguments, **options)
"""


@pytest.fixture(scope="session")
def release(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All real pictures, packed like the published archives, with their real captions."""
    pictures = real_pictures(shared)
    folder = tmp_path_factory.mktemp("real") / "release"
    captions = real_captions(shared, pictures)
    # Four film frames are 436 pixels high.
    return pack(folder, archives_of(pictures), captions, shortest_side=436)


@pytest.fixture(scope="session")
def built(release: Path) -> Path:
    out = release.parent / "built"
    expect = str(release / "expect.json")
    assert main(["dataset", "import", str(release), "--out", str(out), "--expect", expect]) == 0
    return out


def python(code: str, environment: dict[str, str], folder: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", DIGEST + code],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def publish(folder: Path, hub: LoopbackHub, home: Path, *more: str) -> str:
    expect = ("--expect", str(folder.parent / "release" / "expect.json"))
    done = subprocess.run(
        [sys.executable, "-m", "evaluator", "dataset", "publish", folder, REPO, *expect, *more],
        env={**hub.environment(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_loaded_from_the_hub_is_the_folder_and_the_archives_pixel_for_pixel(
    built: Path, shared: Path, hub: LoopbackHub, tmp_path: Path
) -> None:
    publish(built, hub, tmp_path / "home-one", "--yes", "--tag", "v1.0")
    code = """
sources = {"hub": ("acme/CMC-Bench", {"revision": "v1.0"}), "folder": (sys.argv[1], {})}
found = {}
for name, (path, options) in sources.items():
    for config in ("ground_truth", "references", "captions"):
        table = load(path, config, **options)
        found[f"{name} {config}"] = {str(s): digest(table[s]) for s in table}
streamed = load("acme/CMC-Bench", "ground_truth", revision="v1.0", streaming=True)
found["stream ground_truth"] = {str(s): digest(streamed[s]) for s in streamed}
table = load("acme/CMC-Bench", "ground_truth", revision="v1.0")
for split in table:
    table[split] = table[split].cast_column("image", datasets.Image(decode=False))
found["files"] = {
    row["name"]: hashlib.sha256(row["image"]["bytes"]).hexdigest()
    for split in table.values() for row in split
}
print(json.dumps(found))
""".replace("sys.argv[1]", repr(str(built)))
    found = python(code, hub.environment(tmp_path / "home-two"), tmp_path)
    for config in ("ground_truth", "references", "captions"):
        assert set(found[f"hub {config}"]) == {"NSI", "SCI", "AIGI"}
        assert found[f"hub {config}"] == found[f"folder {config}"]
    assert found["stream ground_truth"] == found["hub ground_truth"]
    pictures = real_pictures(shared)
    assert len(pictures) == 78
    assert found["files"] == {n: hashlib.sha256(d).hexdigest() for n, d in pictures.items()}


def test_one_content_is_read_without_the_others(
    built: Path, hub: LoopbackHub, tmp_path: Path
) -> None:
    publish(built, hub, tmp_path / "home-one", "--yes")
    sizes = {
        split: (built / "ground_truth" / f"{split}-00000.parquet").stat().st_size
        for split in ("NSI", "SCI", "AIGI")
    }
    code = """
files = {"SCI": "ground_truth/SCI-*.parquet"}
table = load("acme/CMC-Bench", data_files=files, split="SCI")
assert isinstance(table.features["image"], datasets.Image)
print(json.dumps([table[0]["image"].size, len(table)]))
"""
    hub.calls.clear()
    size, rows = python(code, hub.environment(tmp_path / "home-two"), tmp_path)
    assert rows == 26
    assert max(size) == 1024
    got = sum(call.answered_bytes for call in hub.calls("resolve"))
    assert sizes["SCI"] <= got < sizes["SCI"] + 50_000
    code = """
table = load("acme/CMC-Bench", "ground_truth", split="NSI", streaming=True)
print(json.dumps([row["name"] for row in table.select_columns(["name"])]))
"""
    hub.calls.clear()
    names = python(code, hub.environment(tmp_path / "home-three"), tmp_path)
    assert len(names) == 22
    assert not [c for c in hub.calls("resolve") if "SCI" in c.path or "AIGI" in c.path]


def test_without_yes_nothing_is_published(built: Path, hub: LoopbackHub, tmp_path: Path) -> None:
    said = publish(built, hub, tmp_path / "home", "--tag", "v1.0")
    assert "to be made" in said
    assert "add     ground_truth/NSI-00000.parquet" in said
    assert "nothing was changed" in said
    assert ("datasets", REPO) not in hub.repos
    assert not [call for call in hub.calls() if call.method in ("POST", "PUT", "DELETE")]


def test_streaming_a_picture_fetches_a_row_group_and_not_the_file(
    built: Path, hub: LoopbackHub, tmp_path: Path
) -> None:
    publish(built, hub, tmp_path / "home-one", "--yes")
    code = """
table = load("acme/CMC-Bench", "ground_truth", split="AIGI", streaming=True)
print(json.dumps(next(iter(table))["name"]))
"""
    hub.calls.clear()
    assert python(code, hub.environment(tmp_path / "two"), tmp_path) == "AIGI_DALLE3_000.png"
    got = sum(c.answered_bytes for c in hub.calls("resolve") if c.path.endswith(".parquet"))
    whole = (built / "ground_truth" / "AIGI-00000.parquet").stat().st_size
    assert 0 < got < whole
