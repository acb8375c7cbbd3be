from pathlib import Path

import pytest
from PIL import Image

from evaluator.looks import Look, Looks, look_alike


def test_real_pictures_are_no_near_duplicates_their_jpegs_are_and_few_pairs_are_compared(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Look] = []

    def counted(one: Look, two: Look) -> bool:
        compared.append(one)
        return look_alike(one, two)

    monkeypatch.setattr("evaluator.looks.look_alike", counted)
    looks = Looks()
    paths = sorted((shared / "images").glob("*.png"))[::3]
    for path in paths:
        with Image.open(path) as picture:
            looks.add(path.name, picture)
    assert looks.pairs() == []
    with Image.open(paths[0]) as picture:
        looks.add("jpeg", picture.resize((300, 400)).quantize(32).convert("RGB"))
    compared.clear()
    assert looks.pairs() == [(paths[0].name, "jpeg")]
    # Ten thousand pictures have fifty million pairs: only those with near hashes are looked at.
    assert len(compared) <= len(paths)
