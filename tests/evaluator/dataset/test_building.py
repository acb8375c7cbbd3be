import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from conftest import paint
from PIL import Image

from dataset_cards.cards import dataset_of
from dataset_cards.cmc_bench.features import CAPTIONS, DISTORTED, GROUND_TRUTH, REFERENCES
from dataset_cards.layout import list_shards
from dataset_cards.parquet import read_rows
from dataset_cards.schema import Config
from evaluator.__main__ import main
from evaluator.codecs import load_codec
from evaluator.dataset.div2k import SIDE, crop_square
from evaluator.dataset.unpacking import plain_folder
from evaluator.pixels import decode_pixels
from evaluator.worker import work
from protocol.records import Request
from submission.store import FolderStore

Bench = Any


def rows_of(folder: Path, config: Config) -> list[dict[str, Any]]:
    return [row for shard in list_shards(folder, config) for row in read_rows(folder / shard.path)]


@pytest.fixture
def expect(tmp_path: Path) -> list[str]:
    """The option that states what the three pictures of `images` must have."""
    stated = {
        "name": "three",
        "ground_truth": {},
        "names": ["NSI_pgc_000.png", "SCI_screen_001.png", "AIGI_SDXL_002.png"],
        "shortest_side": 64,
        "longest_side": 1024,
        "references": ["image", "pixel"],
        "captions": [],
        "distorted": {"T2I": 6},
        "mos_references": 0,
        "mos": 0,
        "viewers": 0,
    }
    path = tmp_path / "expect.json"
    path.write_text(json.dumps(stated))
    return ["--expect", str(path)]


def test_references_captions_and_a_run_are_built_from_pictures(
    images: Path, captions: Path, tmp_path: Path, expect: list[str]
) -> None:
    out, run = tmp_path / "out", tmp_path / "run"
    options = ["--protocol", "demo-0", "--cache", str(tmp_path / "cache"), "--device", "cpu"]
    systems = ["--i2t", f"file:{captions}", "--t2i", "start-image", "--modes", "image,full"]
    assert main(["evaluate", "--images", str(images), "--out", str(run), *systems, *options]) == 0
    i2t = ["--i2t", f"file:{captions}"]
    assert main(["dataset", "build", str(images), "--out", str(out), *i2t]) == 0
    assert main(["dataset", "build", str(out), "--run", str(run)]) == 0
    assert main(["dataset", "validate", str(out), *expect]) == 0

    truths = rows_of(out, GROUND_TRUTH)
    assert [row["image"]["bytes"] for row in truths] == [
        (images / row["name"]).read_bytes() for row in truths
    ]
    for row in rows_of(out, REFERENCES):
        assert row["bits"] == 8 * len(row["bitstream"])
        size = row["width"], row["height"]
        if row["kind"] == "pixel":
            start = decode_pixels(row["bitstream"], *size)
        else:
            start = load_codec("vvc").decode(row["bitstream"], *size)
        table = datasets.Dataset.from_list([{"image": row["image"]}]).cast_column(
            "image", datasets.Image()
        )
        assert np.array_equal(np.asarray(table[0]["image"]), np.asarray(start))
    assert {row["caption"] for row in rows_of(out, CAPTIONS)} >= {
        "A blue square in front of soft colours."
    }
    assert str(tmp_path).encode() not in b"".join(
        path.read_bytes() for path in out.rglob("*") if path.is_file()
    ), "no path of the machine"

    made = rows_of(out, DISTORTED)
    assert len(made) == 6
    for row in made:
        stem = Path(row["name"]).stem
        assert row["file"] == (run / "files" / row["mode"] / f"{stem}.cmc").read_bytes()
        picture = run / "pictures" / row["mode"] / row["name"]
        assert row["image"]["bytes"] == picture.read_bytes()
        parts = ("text_bits", "pixels_bits", "image_bits", "header_bits")
        assert sum(row[part] for part in parts) == row["bits"] == 8 * len(row["file"])
    folder = f"start-image-{made[0]['request_id'][:8]}"
    assert {shard.parts for shard in list_shards(out, DISTORTED)} == {
        ("T2I", folder, "image"),
        ("T2I", folder, "full"),
    }


def test_a_dataset_folder_is_evaluated_like_the_pictures_it_was_made_from(
    images: Path, tmp_path: Path
) -> None:
    from evaluator.pictures import fingerprint_images

    dataset, cache = tmp_path / "three", tmp_path / "cache"
    build = ["dataset", "build", str(images), "--out", str(dataset), "--no-references"]
    assert main(build) == 0
    options = ["--protocol", "demo-0", "--cache", str(cache), "--device", "cpu"]
    results = []
    for source in (images, dataset):
        run = tmp_path / f"run of {source.name}"
        system = ["--codec", "jpeg:5", "--images", str(source), "--out", str(run)]
        assert main(["evaluate", *system, *options]) == 0
        results.append(json.loads((run / "result.json").read_bytes()))
    one, two = results
    assert one["request"]["dataset_sha256"] == two["request"]["dataset_sha256"]
    assert (one["request"]["dataset"], two["request"]["dataset"]) == ("images", "three")
    assert one["scores"] == two["scores"]
    assert plain_folder(images, cache) == images
    unpacked = plain_folder(dataset, cache)
    assert fingerprint_images(unpacked) == fingerprint_images(images)
    assert list(unpacked.parent.iterdir()) == [unpacked]


def test_a_dataset_folder_is_submitted_and_worked_on(
    images: Path, captions: Path, t2i: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model has facts, so that the estimate counts the pictures too."""
    dataset, store = tmp_path / "three", tmp_path / "store"
    build = ["dataset", "build", str(images), "--out", str(dataset), "--no-references"]
    assert main(build) == 0
    cache = tmp_path / "cache"
    monkeypatch.setattr("evaluator.commands._options.DEFAULT_CACHE", cache)
    shared = ["--images", str(dataset), "--store", str(store)]
    system = ["--i2t", f"file:{captions}", "--protocol", "demo-0", "--modes", "image"]
    assert main(["submit", *shared, *system, "--t2i", t2i, "--check"]) == 0
    assert main(["submit", *shared, *system, "--t2i", "start-image", "--yes"]) == 0
    options = ["--cache", str(cache), "--device", "cpu", "--in-process"]
    assert main(["work", *shared, *options, "--once"]) == 0
    (result,) = FolderStore(store).results()
    assert result.request.dataset == "three"
    assert {score.content for score in result.scores} >= {"NSI", "SCI", "AIGI"}


def test_building_again_makes_nothing_anew(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["dataset", "build", str(images), "--out", str(out)]) == 0
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert len(times) == 9
    assert main(["dataset", "build", str(out)]) == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")} == times


def test_a_dataset_folder_is_extended_in_place(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["dataset", "build", str(images), "--out", str(out), "--no-references"]) == 0
    assert main(["dataset", "build", str(out), "--out", str(tmp_path / "other")]) == 1
    assert "extended in place" in capsys.readouterr().err
    assert main(["dataset", "build", str(images), "--out", str(out)]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_run_that_is_not_whole_is_refused(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    options = ["--protocol", "demo-0", "--cache", str(tmp_path / "cache"), "--device", "cpu"]
    systems = ["--codec", "jpeg:5"]
    assert main(["evaluate", "--images", str(images), "--out", str(run), *systems, *options]) == 0
    outputs = ["dataset", "build", str(run), "--as", "outputs", "--out", str(out)]
    picture = run / "pictures" / "image" / "NSI_pgc_000.png"
    data = picture.read_bytes()
    for broken, said in (
        (data[:-20], "is no whole picture"),
        ((images / "NSI_pgc_000.png").read_bytes(), "is not the picture that was scored"),
    ):
        picture.write_bytes(broken)
        assert main(outputs) == 1
        assert said in capsys.readouterr().err
        assert not out.exists()
    picture.write_bytes(data)
    assert main(outputs) == 0
    assert dataset_of(out).name == "CMC-Bench-outputs"
    assert main(["dataset", "validate", str(out)]) == 0
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "hf"))
    assert {str(split): len(loaded[split]) for split in loaded} == {"NSI": 1, "SCI": 1, "AIGI": 1}
    assert loaded["NSI"][0]["file"][:2] == b"CM"
    assert loaded["NSI"][0]["codec"] == "jpeg:5", "a row says which codec made it"
    (run / "per_image.parquet").write_bytes(b"x")
    assert main([*outputs[:-1], str(tmp_path / "again")]) == 1
    assert "is not the table that" in capsys.readouterr().err


def test_requests_and_results_of_a_store_are_loadable(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    store = FolderStore(tmp_path / "store")
    request = ask(modes=("pixel",))
    store.submit(request)
    work(store, make_bench(), once=True, say=lambda _: None)
    store.submit(ask(modes=("image",)))
    requests, results = tmp_path / "requests", tmp_path / "results"
    for kind, out in (("requests", requests), ("results", results)):
        assert main(["dataset", "build", str(store.folder), "--as", kind, "--out", str(out)]) == 0
        assert main(["dataset", "validate", str(out)]) == 0

    def load(folder: Path, config: str) -> list[dict[str, Any]]:
        table = datasets.load_dataset(str(folder), config, cache_dir=str(tmp_path / "hf"))
        found: list[dict[str, Any]] = table["test"].to_list()
        return found

    asked = {row["request_id"]: row for row in load(requests, "requests")}
    assert asked[request.request_id]["status"] == "FINISHED"
    assert asked[request.request_id]["modes"] == ["pixel"]
    assert sorted(row["status"] for row in asked.values()) == ["FINISHED", "PENDING"]
    events = [row for row in load(requests, "events") if row["request_id"] == request.request_id]
    assert [row["status"] for row in events] == ["PENDING", "RUNNING", "FINISHED"]

    (result,) = store.results()
    means = {
        (row["mode"], row["dimension"], row["content"]): row["mean"]
        for row in load(results, "aggregates")
    }
    assert means == {
        (score.mode, score.dimension, score.content or "all"): score.mean for score in result.scores
    }
    scores = load(results, "per_image")
    assert len(scores) == 6
    assert {row["request_id"] for row in scores} == {request.request_id}
    (path,) = results.rglob("per_image/*/*.parquet")
    data = path.read_bytes()
    path.write_bytes(data[:1500] + bytes(100) + data[1600:])
    assert main(["dataset", "validate", str(results)]) == 1, "rows are read, not only footers"


@pytest.fixture
def div2k(tmp_path: Path) -> Path:
    """A folder as DIV2K's, small: landscapes, a portrait, and pictures that are not asked for."""
    folder = tmp_path / "DIV2K_valid_HR"
    folder.mkdir()
    for number in (*range(801, 813), 900):
        size = (160, 240) if number == 803 else (320, 200 + number % 7)
        paint(size[0], size[1], seed=number).save(folder / f"{number:04d}.png")
    return folder


def test_the_div2k_set_is_the_first_ten_as_squares(div2k: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["dataset", "build", str(div2k), "--as", "div2k", "--out", str(out)]) == 0
    rows = rows_of(out, GROUND_TRUTH)
    assert [row["name"] for row in rows] == [f"NSI_div2k_{n:04d}.png" for n in range(801, 811)]
    assert {(row["width"], row["height"]) for row in rows} == {(1024, 1024)}
    table = datasets.load_dataset(str(out), "ground_truth", cache_dir=str(tmp_path / "hf"))
    assert table["NSI"][0]["image"].size == (1024, 1024)


def test_squares_are_cut_from_the_middle() -> None:
    for size in ((3000, 2000), (2000, 3000), (700, 1401)):
        picture = Image.new("RGB", size, "white")
        width, height = size
        centre = (width // 2 - 20, height // 2 - 20, width // 2 + 20, height // 2 + 20)
        picture.paste("black", centre)
        square = crop_square(picture)
        assert square.size == (SIDE, SIDE)
        dark = np.argwhere(np.asarray(square.convert("L")) < 128)
        assert np.abs(dark.mean(axis=0) - SIDE / 2).max() < 1.5


def test_missing_div2k_pictures_are_named(
    div2k: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (803, 810):
        (div2k / f"0{number}.png").unlink()
    out = tmp_path / "out"
    assert main(["dataset", "build", str(div2k), "--as", "div2k", "--out", str(out)]) == 1
    assert "lacks 0803.png, 0810.png" in capsys.readouterr().err
    assert not out.exists()


def test_the_command_s_help_names_its_actions(capsys: pytest.CaptureFixture[str]) -> None:
    actions = ("import", "build", "validate", "publish", "info")
    for arguments, words in (([], actions), *(([action], (action,)) for action in actions)):
        with pytest.raises(SystemExit) as ended:
            main(["dataset", *arguments, "--help"])
        assert ended.value.code == 0
        said = capsys.readouterr().out
        assert all(word in said for word in words)
