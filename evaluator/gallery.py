"""A run's pictures for people: a bounded choice, made small, with error maps, in a folder."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.bench import Bench
from evaluator.bitstream import bits_per_pixel
from evaluator.cache import Cache
from evaluator.decode import Decoded
from evaluator.pictures import read_picture
from evaluator.receive import receive
from evaluator.run import Evaluation
from protocol.files import write_whole
from protocol.gallery import Gallery, GalleryPicture
from protocol.jsonable import to_json
from protocol.records import Request
from protocol.rules import Dimension, Mode
from protocol.samples import Sample
from protocol.versions import find_protocol
from submission.store import Store

if TYPE_CHECKING:
    from PIL.Image import Image

SCHEMA_VERSION = 1
IMAGES_PER_CONTENT = 8
LONGEST_SIDE = 768
QUALITY = 90
"""Of the WebP files; the scores were made from the PNG files and not from these."""

Scores = Mapping[tuple[str, str, str], float | None]


def write_gallery(folder: Path, evaluation: Evaluation, bench: Bench) -> Gallery:
    """Write the pictures of a run that people may look at, and `gallery.json` last."""
    request = evaluation.result.request
    chosen = choose_names([item.encoded.sample for item in evaluation.decoded])
    scores = _scores(evaluation.per_image)
    pictures = [
        _write_picture(folder, request, item, bench, scores)
        for item in evaluation.decoded
        if item.encoded.sample.name in chosen
    ]
    gallery = Gallery(
        schema_version=SCHEMA_VERSION,
        request_id=request.request_id,
        images_of_run=evaluation.result.images,
        longest_side=LONGEST_SIDE,
        pictures=tuple(sorted(pictures, key=lambda p: (p.name, list(Mode).index(p.mode)))),
    )
    write_whole(folder / "gallery.json", to_json(gallery).encode())
    return gallery


def gallery_folder(cache: Cache, request_id: str) -> Path:
    """Return where a run leaves its pictures, until a store takes them."""
    return cache.folder / "gallery" / request_id


def hand_over(cache: Cache, request_id: str, store: Store) -> None:
    """Bring a run's pictures to a store; they are few and small, whatever the run's size."""
    made = gallery_folder(cache, request_id)
    if made.is_dir():
        store.beside.put(made, f"gallery/{request_id}")


def choose_names(samples: Sequence[Sample]) -> frozenset[str]:
    """Return the names to show: of each content the same for every system, and no cherries.

    They are the first by a hash of the name, so that two runs on the same images show the same.
    """
    by_content = sorted(set(samples), key=lambda s: (s.content, _hash(s.name)))
    chosen: list[str] = []
    for _, group in groupby(by_content, key=lambda sample: sample.content):
        chosen += [sample.name for sample in group][:IMAGES_PER_CONTENT]
    return frozenset(chosen)


def _write_picture(
    folder: Path, request: Request, item: Decoded, bench: Bench, scores: Scores
) -> GalleryPicture:
    encoded, stream = item.encoded, item.encoded.stream
    stem, mode = Path(encoded.sample.name).stem, encoded.mode
    original = read_picture(bench.images / encoded.sample.name)
    names = {"original": f"{stem}.webp", "sent": "", "decoded": "", "error": ""}
    _write(folder / names["original"], original)
    start = receive(encoded.data, find_protocol(request.protocol), bench.text_prior).start
    if start is not None:
        names["sent"] = f"{stem}.{mode}.sent.webp"
        _write(folder / names["sent"], start)
    error_max = 0.0
    if not item.entry.failure_code:
        decoded = bench.cache.read_picture(item.key)
        names["decoded"], names["error"] = f"{stem}.{mode}.webp", f"{stem}.{mode}.error.webp"
        _write(folder / names["decoded"], decoded)
        drawn, error_max = error_map(original, decoded)
        _write(folder / names["error"], drawn)
    return GalleryPicture(
        name=encoded.sample.name,
        content=encoded.sample.content,
        mode=mode,
        original=names["original"],
        sent=names["sent"],
        decoded=names["decoded"],
        error_map=names["error"],
        error_max=error_max,
        width=stream.width,
        height=stream.height,
        caption=encoded.caption or "",
        bits=8 * len(encoded.data),
        bits_per_pixel=bits_per_pixel(len(encoded.data), stream.width, stream.height),
        text_bits=8 * len(stream.text or b""),
        pixels_bits=8 * len(stream.pixels or b""),
        image_bits=8 * len(stream.image or b""),
        consistency=scores.get((encoded.sample.name, mode, Dimension.FR)),
        perception=scores.get((encoded.sample.name, mode, Dimension.NR)),
        status=item.entry.failure_code or "scored",
    )


def error_map(original: "Image", decoded: "Image") -> tuple["Image", float]:
    """Return the mean absolute difference over R, G and B as a picture, and its largest value.

    Black is no difference, white the largest one of this picture, in between by square root so
    that small differences can be seen.
    """
    import numpy as np
    from PIL import Image

    a, b = (np.asarray(picture, dtype=np.float32) for picture in (original, decoded))
    difference = np.abs(a - b).mean(axis=2)
    largest = float(difference.max())
    shown = np.sqrt(difference / largest) if largest else difference
    return Image.fromarray((255 * shown).astype(np.uint8)).convert("RGB"), largest


def _scores(per_image: bytes) -> Scores:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(per_image), columns=["name", "mode", "dimension", "score"])
    return {(r["name"], r["mode"], r["dimension"]): r["score"] for r in table.to_pylist()}


def _write(path: Path, picture: "Image") -> None:
    """Write a picture, no larger than the gallery's, unless it is there."""
    if path.is_file():
        return
    small = picture.copy()
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    file = io.BytesIO()
    small.save(file, "WEBP", quality=QUALITY)
    write_whole(path, file.getvalue())


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
