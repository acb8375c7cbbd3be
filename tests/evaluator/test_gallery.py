"""The pictures that a run leaves for people."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from evaluator.bench import Bench
from evaluator.gallery import (
    IMAGES_PER_CONTENT,
    choose_names,
    error_map,
    gallery_folder,
    hand_over,
    write_gallery,
)
from evaluator.run import evaluate
from protocol.gallery import Gallery
from protocol.jsonable import from_json
from protocol.records import Request
from protocol.rules import Content, Dimension
from protocol.samples import Sample
from submission.store import FolderStore


def test_a_gallery_holds_what_was_sent_painted_and_scored(
    make_bench: Callable[..., Bench], ask: Callable[..., Request], tmp_path: Path
) -> None:
    bench, request = make_bench(), ask()
    evaluation = evaluate(request, bench)
    folder = gallery_folder(bench.cache, request.request_id)
    write_gallery(folder, evaluation, bench)
    gallery = from_json(Gallery, (folder / "gallery.json").read_bytes())
    assert {p.mode for p in gallery.pictures} == set(request.modes)
    for picture in gallery.pictures:
        assert all((folder / name).is_file() for name in gallery.files())
        assert picture.bits == 8 * round(
            picture.bits_per_pixel * picture.width * picture.height / 8
        )
        assert picture.consistency is not None
    means = {
        (score.mode, score.content): score.mean
        for score in evaluation.result.scores
        if score.dimension is Dimension.FR
    }
    one = gallery.pictures[0]
    # There is one image of each content, so its score is the content's mean.
    assert one.consistency == means[one.mode, one.content]
    store = FolderStore(tmp_path / "store")
    hand_over(bench.cache, request.request_id, store)
    hand_over(bench.cache, request.request_id, store)
    kept = store.folder / "gallery" / request.request_id
    assert sorted(p.name for p in kept.iterdir()) == sorted(p.name for p in folder.iterdir())
    assert [p.name for p in kept.parent.iterdir()] == [request.request_id]


def test_every_run_on_the_same_images_shows_the_same_ones() -> None:
    samples = [
        Sample(f"{content}_x_{number:03d}.png", content, "x")
        for content in Content
        for number in range(40)
    ]
    chosen = choose_names(samples)
    assert chosen == choose_names(samples[::-1] * 2)
    for content in Content:
        assert sum(name.startswith(content) for name in chosen) == IMAGES_PER_CONTENT


def test_an_error_map_is_black_where_nothing_differs_and_white_where_most_does() -> None:
    original = Image.new("RGB", (4, 2), (10, 20, 30))
    decoded = original.copy()
    decoded.putpixel((1, 0), (70, 80, 90))
    drawn, largest = error_map(original, decoded)
    assert largest == 60.0
    values = np.asarray(drawn)[..., 0]
    assert values[0, 1] == 255
    assert values.sum() == 255
    assert error_map(original, original)[1] == 0.0
