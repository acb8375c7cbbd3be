"""From the archives to `load_dataset` in another process: the same table, the same pixels."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from loopback_hub import LoopbackHub
from make_release import archives_of, pack, real_captions, real_pictures

from evaluator.__main__ import main

REPO = "acme/CMC-Bench"
PER_CONTENT = 5
"""Real pictures of each content; all 78 take two minutes and show nothing more."""


@pytest.fixture(scope="module")
def release(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real pictures, packed like the published archives, with their real captions."""
    pictures = real_pictures(shared, PER_CONTENT)
    folder = tmp_path_factory.mktemp("real") / "release"
    captions = real_captions(shared, pictures)
    # Four film frames are 436 pixels high.
    return pack(folder, archives_of(pictures), captions, shortest_side=436)


@pytest.fixture(scope="module")
def built(release: Path) -> Path:
    out = release.parent / "built"
    expect = str(release / "expect.json")
    assert main(["dataset", "import", str(release), "--out", str(out), "--expect", expect]) == 0
    return out


@pytest.fixture(scope="module")
def published(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackHub]:
    """A Hub that has the dataset, tagged v1.0."""
    folder = tmp_path_factory.mktemp("hub")
    with LoopbackHub(folder / "lfs") as hub:
        expect = ("--expect", str(built.parent / "release" / "expect.json"))
        arguments = ["publish", str(built), REPO, *expect, "--yes", "--tag", "v1.0"]
        done = subprocess.run(
            [sys.executable, "-m", "evaluator", "dataset", *arguments],
            env={**hub.environment(folder / "home"), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "tagged v1.0" in done.stdout
        yield hub


def python(code: str, hub: LoopbackHub, folder: Path) -> Any:
    """Run code in a fresh process with a fresh cache and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", "import json, datasets\n" + code],
        # Nothing here needs torch, whose import takes longer than all the rest.
        env={**hub.environment(folder / "home"), "PYTHONPATH": str(ROOT), "USE_TORCH": "0"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_is_loaded_from_the_hub_is_the_folder_and_the_archives_pixel_for_pixel(
    built: Path, shared: Path, published: LoopbackHub, tmp_path: Path
) -> None:
    code = f"""
import hashlib
folder, files, rows = {str(built)!r}, {{}}, 0
for config in ("ground_truth", "references", "captions"):
    here = datasets.load_dataset(folder, config)
    there = datasets.load_dataset("{REPO}", config, revision="v1.0")
    assert list(here) == list(there) == ["NSI", "SCI", "AIGI"]
    for split in here:
        one, two = here[split], there[split]
        assert one.features == two.features and len(one) == len(two)
        if config == "ground_truth":
            assert all(a["image"] == b["image"] for a, b in zip(one, two))
        if config != "captions":
            raw = datasets.Image(decode=False)
            one, two = (table.cast_column("image", raw) for table in (one, two))
        for a, b in zip(one, two):
            assert a == b
            rows += 1
            if config == "ground_truth":
                files[a["name"]] = hashlib.sha256(a["image"]["bytes"]).hexdigest()
print(json.dumps([files, rows]))
"""
    files, rows = python(code, published, tmp_path)
    pictures = real_pictures(shared, PER_CONTENT)
    assert files == {name: hashlib.sha256(data).hexdigest() for name, data in pictures.items()}
    assert rows == 3 * len(pictures) + sum(map(len, real_captions(shared, pictures).values()))


def test_one_content_is_read_without_the_others(
    built: Path, published: LoopbackHub, tmp_path: Path
) -> None:
    code = f"""
files = {{"SCI": "ground_truth/SCI-*.parquet"}}
table = datasets.load_dataset("{REPO}", data_files=files, split="SCI")
assert isinstance(table.features["image"], datasets.Image)
streamed = datasets.load_dataset("{REPO}", "ground_truth", split="SCI", streaming=True)
print(json.dumps([list(table["name"]), [row["name"] for row in streamed.select_columns(["name"])]]))
"""
    published.calls.clear()
    names, streamed = python(code, published, tmp_path)
    assert len(names) == PER_CONTENT
    assert names == streamed
    calls = [call for call in published.calls("resolve") if call.path.endswith(".parquet")]
    assert {Path(call.path).name for call in calls} == {"SCI-00000.parquet"}
    size = (built / "ground_truth" / "SCI-00000.parquet").stat().st_size
    assert sum(call.answered_bytes for call in calls) < 2.2 * size


def test_what_is_downloaded_is_a_whole_dataset_folder(
    built: Path, published: LoopbackHub, tmp_path: Path
) -> None:
    folder = tmp_path / "downloaded"
    published.api().snapshot_download(REPO, repo_type="dataset", local_dir=folder)
    (folder / "captions" / ".DS_Store").write_bytes(b"x")
    assert {".cache", ".gitattributes"} <= {path.name for path in folder.iterdir()}
    expect = ["--expect", str(built.parent / "release" / "expect.json")]
    assert main(["dataset", "validate", str(folder), *expect]) == 0
