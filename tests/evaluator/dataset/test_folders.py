"""What is and what is not a dataset folder, and what such a folder holds after all."""

from pathlib import Path

import pytest

from dataset_cards.cmc_bench.features import GROUND_TRUTH
from dataset_cards.layout import list_shards
from dataset_cards.parquet import read_rows
from dataset_cards.requests.features import REQUESTS
from evaluator.__main__ import main
from evaluator.dataset.folder import finish
from evaluator.dataset.unpacking import plain_folder


def names_in(folder: Path) -> list[str]:
    return [
        row["name"]
        for shard in list_shards(folder, GROUND_TRUTH)
        for row in read_rows(folder / shard.path, ["name"])
    ]


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
    assert len(names_in(out)) == 3
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
