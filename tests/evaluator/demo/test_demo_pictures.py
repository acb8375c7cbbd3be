import csv
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from evaluator.demo import photographs
from evaluator.demo.pictures import build_pictures, captions_file
from protocol.errors import PictureError
from protocol.rules import Content
from protocol.samples import list_samples, parse_name


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return build_pictures(tmp_path_factory.mktemp("pictures"))


def captions() -> dict[str, str]:
    with captions_file().open(newline="", encoding="utf-8") as file:
        return {row["name"]: row["text"] for row in csv.DictReader(file)}


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_every_name_is_a_benchmark_name(pictures: list[Path]) -> None:
    samples = list_samples(pictures[0].parent)
    assert sorted(path.name for path in pictures) == [sample.name for sample in samples]


def test_each_content_has_four_pictures(pictures: list[Path]) -> None:
    counts = Counter(parse_name(path.name).content for path in pictures)
    assert counts == dict.fromkeys(Content, 4)


def test_sides_are_between_256_and_512_and_many_are_odd(pictures: list[Path]) -> None:
    sizes = [size_of(path) for path in pictures]
    assert all(256 <= side <= 512 for size in sizes for side in size)
    assert sum(width % 2 or height % 2 for width, height in sizes) >= 3


def test_pictures_are_colour_and_not_flat(pictures: list[Path]) -> None:
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.mode == "RGB"
            assert len(picture.resize((64, 64)).convert("L").getcolors() or ()) > 32, path.name


def test_every_picture_has_a_caption_of_about_twenty_words(pictures: list[Path]) -> None:
    texts = captions()
    assert list(texts) == [path.name for path in pictures]
    assert all(18 <= len(text.split()) <= 23 for text in texts.values())


def test_building_again_gives_the_same_bytes(pictures: list[Path], tmp_path: Path) -> None:
    for first, again in zip(pictures, build_pictures(tmp_path), strict=True):
        assert first.name == again.name
        assert first.read_bytes() == again.read_bytes()


def test_only_files_that_differ_are_written(pictures: list[Path]) -> None:
    damaged = pictures[0]
    before = {path: path.stat().st_mtime_ns for path in pictures}
    whole = damaged.read_bytes()
    damaged.write_bytes(b"damaged")
    build_pictures(damaged.parent)
    assert damaged.read_bytes() == whole
    assert all(path.stat().st_mtime_ns == before[path] for path in pictures[1:])


def test_a_photograph_that_scikit_image_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = photographs._Cut("gone.png", (0, 0, 1, 1), (1, 1))
    monkeypatch.setattr(photographs, "_CUTS", (cut,))
    with pytest.raises(PictureError, match=r"ships no data/gone\.png"):
        list(photographs.paint_photographs())
