"""A gallery as a run leaves it."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from protocol.gallery import Gallery, GalleryPicture
from protocol.jsonable import to_json
from protocol.records import Result
from protocol.rules import Content, Mode

NASTY_CAPTION = "<img src=x onerror=window.hacked=1> [a](javascript:1)"
NAMES = {"AIGI_SDXL_000.png": 0.2, "NSI_pgc_001.png": 0.9, "SCI_screen_002.png": 0.5}


def write_pictures(
    folder: Path, result: Result, shift: float, modes: Sequence[Mode] = (Mode.FULL, Mode.PIXEL)
) -> None:
    """Write a gallery of three images, as a run leaves it; full mode alone is painted."""
    folder.mkdir(parents=True)
    pictures = []
    for name, score in NAMES.items():
        stem = name.removesuffix(".png")
        for place, suffix in enumerate(("", ".full.sent", ".full", ".full.error")):
            picture = Image.new("RGB", (48, 32), (60 * place, 90, 200 - 50 * place))
            picture.save(folder / f"{stem}{suffix}.webp")
        pictures += [
            GalleryPicture(
                name=name,
                content=Content(name.split("_")[0]),
                mode=mode,
                original=f"{stem}.webp",
                sent=f"{stem}.full.sent.webp",
                decoded=f"{stem}.full.webp" if mode is Mode.FULL else "",
                error_map=f"{stem}.full.error.webp",
                error_max=60.0,
                width=48,
                height=32,
                caption=NASTY_CAPTION,
                bits=1200,
                bits_per_pixel=0.7813,
                text_bits=800,
                pixels_bits=0,
                image_bits=400,
                consistency=score + shift if mode is Mode.FULL else None,
                perception=0.5 if mode is Mode.FULL else None,
                status="scored" if mode is Mode.FULL else "NSFW_FILTERED",
            )
            for mode in modes
        ]
    gallery = Gallery(
        schema_version=1,
        request_id=result.request.request_id,
        images_of_run=3,
        longest_side=768,
        pictures=tuple(pictures),
    )
    (folder / "gallery.json").write_text(to_json(gallery), encoding="utf-8")
