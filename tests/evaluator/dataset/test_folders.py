"""What is and what is not a dataset folder, and what such a folder holds after all."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import paint
from loopback_hub import LoopbackHub
from PIL import Image

from dataset_cards.cmc_bench.features import CMC_BENCH, DISTORTED, GROUND_TRUTH
from dataset_cards.layout import list_shards
from dataset_cards.parquet import read_rows
from dataset_cards.publishing import Publication
from dataset_cards.requests.features import REQUESTS
from dataset_cards.schema import Config
from evaluator.__main__ import main
from evaluator.dataset.folder import finish
from evaluator.dataset.runs import add_runs
from evaluator.dataset.stores import build_requests
from evaluator.dataset.unpacking import plain_folder
from evaluator.progress import Advance
from protocol.records import Request
from submission.ledger_check import check_ledger
from submission.store_folder import FolderStore
from submission.store_hub import HubStore


def rows_in(folder: Path, config: Config) -> list[dict[str, Any]]:
    return [row for shard in list_shards(folder, config) for row in read_rows(folder / shard.path)]


def write_expected(path: Path, ground_truth: dict[str, int]) -> None:
    """State a release of ground truth alone."""
    sizes = {"shortest_side": 64, "longest_side": 1024}
    none = {"references": [], "captions": [], "distorted": {}, "mos_references": 0, "mos": 0}
    stated = {"name": "few", "ground_truth": ground_truth, **sizes, **none, "viewers": 0}
    path.write_text(json.dumps(stated))


@pytest.mark.parametrize("text", [b"# My pictures\n", b"---\npretty_name: Mine\n---\n", b"\xff"])
def test_a_folder_of_pictures_may_have_a_readme_of_its_own(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes
) -> None:
    readme = images / "README.md"
    readme.write_bytes(text)
    before = sorted(images.iterdir())
    assert main(["dataset", "build", str(images), "--no-references"]) == 1
    assert "name the one to be made with --out" in capsys.readouterr().err
    out = tmp_path / "out"
    assert main(["dataset", "build", str(images), "--no-references", "--out", str(out)]) == 0
    assert len(rows_in(out, GROUND_TRUTH)) == 3
    assert plain_folder(images, tmp_path / "cache") == images
    assert (readme.read_bytes(), sorted(images.iterdir())) == (text, before)


def test_only_the_benchmark_is_extended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "requests"
    out.mkdir()
    finish(out, REQUESTS)
    card = (out / "README.md").read_bytes()
    assert main(["dataset", "build", str(out)]) == 1
    assert "holds CMC-Bench-requests; wanted CMC-Bench" in capsys.readouterr().err
    assert (out / "README.md").read_bytes() == card


def test_runs_of_one_system_with_two_partners_lie_side_by_side(
    images: Path, captions: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(captions.read_text().replace("blue", "green"))
    runs: list[str] = []
    for file in (captions, other):
        run = str(tmp_path / f"run of {file.stem}")
        systems = ["--i2t", f"file:{file}", "--t2i", "start-image", "--modes", "full"]
        options = ["--protocol", "demo-0", "--cache", str(tmp_path / "cache"), "--device", "cpu"]
        assert main(["evaluate", "--images", str(images), "--out", run, *systems, *options]) == 0
        runs += ["--run", run]
    out = tmp_path / "out"
    build = ["dataset", "build", str(images), "--no-references", "--out", str(out)]
    assert main([*build, *runs]) == 0
    made = rows_in(out, DISTORTED)
    assert len(made) == 6
    assert len({row["i2t"] for row in made}) == len({row["request_id"] for row in made}) == 2


def test_what_a_failed_build_of_other_pictures_left_is_not_mixed_in(
    images: Path, tmp_path: Path
) -> None:
    others, out = tmp_path / "others", tmp_path / "out"
    others.mkdir()
    shutil.copy(images / "NSI_pgc_000.png", others)
    (others / "SCI_screen_001.png").write_bytes(b"broken")
    (images / "NSI_pgc_000.png").unlink()

    def build(source: Path) -> int:
        return main(["dataset", "build", str(source), "--no-references", "--out", str(out)])

    assert build(others) == 1
    assert list((tmp_path / "out.partial").rglob("NSI-00000.parquet"))
    assert build(images) == 0
    names = {row["name"] for row in rows_in(out, GROUND_TRUTH)}
    assert names == {"AIGI_SDXL_002.png", "SCI_screen_001.png"}
    assert sorted(path.name for path in out.iterdir()) == [
        *("README.md", "croissant.json", "ground_truth")
    ]


def test_what_two_failed_builds_left_is_taken_again(images: Path, tmp_path: Path) -> None:
    out, last = tmp_path / "out", images / "SCI_screen_001.png"
    whole = last.read_bytes()
    build = ["dataset", "build", str(images), "--no-references", "--out", str(out)]
    last.write_bytes(b"broken")
    assert main(build) == 1
    (kept,) = (tmp_path / "out.partial").rglob("*.parquet")
    time_ns = kept.stat().st_mtime_ns
    assert main(build) == 1
    last.write_bytes(whole)
    assert main(build) == 0
    assert (out / "ground_truth" / kept.name).stat().st_mtime_ns == time_ns


def test_a_store_beside_which_its_requests_are_published_is_as_its_ledger_says(
    hub: LoopbackHub, ask: Callable[..., Request], tmp_path: Path
) -> None:
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "cache")
    store.create()
    store.submit(ask())
    build_requests(store, tmp_path / "out")
    made = Publication(tmp_path / "out", REQUESTS, "acme/cmc-requests", b"{}", hub.api())
    made.publish(made.plan(), lambda _: None)
    assert check_ledger(store.ledger).problems == []
    hub.api().upload_file(
        path_or_fileobj=b"{}",
        path_in_repo="requests/ab/test-00000.parquet",
        repo_id="acme/cmc-requests",
        repo_type="dataset",
    )
    (problem,) = check_ledger(store.ledger).problems
    assert problem == "requests/ab/test-00000.parquet: added outside the ledger"


@pytest.mark.parametrize("kind", ["requests", "results"])
def test_of_no_store_and_of_an_empty_one_no_dataset_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    out = tmp_path / "out"
    build = ["dataset", "build", str(tmp_path / "store"), "--as", kind, "--out", str(out)]
    assert main(build) == 1
    assert "is no store: it is no folder" in capsys.readouterr().err
    FolderStore(tmp_path / "store").create()
    assert main(build) == 1
    assert f"the store holds no {kind[:-1]}" in capsys.readouterr().err
    assert not out.exists()


def test_pictures_of_sixteen_bits_are_compared_as_they_look(tmp_path: Path) -> None:
    """Clipped to eight bits they would all be white, and look alike."""
    images, out, expect = tmp_path / "images", tmp_path / "out", tmp_path / "expect.json"
    images.mkdir()
    for number in range(2):
        grey = np.asarray(paint(96, 80, seed=number).convert("L")).astype(np.uint16)
        Image.fromarray(grey * 257).save(images / f"NSI_pgc_00{number}.png")
    write_expected(expect, {"NSI_pgc": 2})
    build = ["dataset", "build", str(images), "--no-references", "--out", str(out)]
    assert main(build) == 0
    assert main(["dataset", "validate", str(out), "--expect", str(expect)]) == 0


def evaluated(images: Path, run: Path) -> Path:
    options = ["--protocol", "demo-0", "--cache", str(run.parent / "cache"), "--device", "cpu"]
    system = ["--codec", "jpeg:5", "--images", str(images), "--out", str(run)]
    assert main(["evaluate", *system, *options]) == 0
    return run


def test_a_run_about_other_pictures_is_not_added(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others, out, expect = tmp_path / "others", tmp_path / "out", tmp_path / "expect.json"
    others.mkdir()
    # The same name and the same size.
    paint(192, 176, seed=7).save(others / "NSI_pgc_000.png")
    build = ["dataset", "build", str(others), "--no-references", "--out", str(out)]
    assert main(build) == 0
    run = evaluated(images, tmp_path / "run")
    assert main(["dataset", "build", str(out), "--no-references", "--run", str(run)]) == 1
    assert "is about other pictures than" in capsys.readouterr().err
    assert not rows_in(out, DISTORTED)
    own = evaluated(out, tmp_path / "own")
    add = ["dataset", "build", str(out), "--no-references", "--run", str(own)]
    assert main([*add, "--run", str(run)]) == 1
    assert not rows_in(out, DISTORTED), "it is found out before the run in front of it is written"
    assert main(add) == 0
    assert len(rows_in(out, DISTORTED)) == 1

    told: list[tuple[str, int]] = []
    written: list[int] = []

    @contextmanager
    def report(stage: str, total: int) -> Iterator[Advance]:
        told.append((stage, total))
        yield written.append

    add_runs(out, [run], DISTORTED, report=report)
    assert told == [("runs", 3)]
    assert sum(written) == 3
    finish(out, CMC_BENCH)
    write_expected(expect, {"NSI_pgc": 1})
    assert main(["dataset", "validate", str(out), "--expect", str(expect)]) == 1
    assert "SCI_screen_001.png: is not one of this release's pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"references": ["image", "vvc"]}, "no references vvc; there are image, pixel"),
        ({"ground_truth": {"XYZ_pgc": 1}}, "'XYZ_pgc_000.png' is no benchmark name"),
        ({"viewer": 0}, "unknown keys ['viewer'], missing keys []"),
    ],
)
def test_a_release_that_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], said: str
) -> None:
    expect = tmp_path / "expect.json"
    write_expected(expect, {"NSI_pgc": 1})
    expect.write_text(json.dumps({**json.loads(expect.read_text()), **changes}))
    options = [str(tmp_path), "--expect", str(expect)]
    for action in (["validate"], ["import", "--out", str(tmp_path / "out")]):
        assert main(["dataset", *action, *options]) == 1
        assert said in capsys.readouterr().err


def test_the_tables_and_the_intake_take_a_dataset_folder_too(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cmc("dataset", "build", images, "--no-references", "--out", out)
    store = tmp_path / "store"
    FolderStore(store).create()
    shown = [cmc("tables", 3, "--store", store, "--images", d).stdout for d in (images, out)]
    assert shown[0] == shown[1]
    assert "no results wait" in cmc("receive", "--store", store, "--images", out).stdout
    (tmp_path / "empty").mkdir()
    said = cmc("tables", 3, "--store", store, "--images", tmp_path / "empty", status=1).stderr
    assert "holds no PNG file" in said
