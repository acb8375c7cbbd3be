"""Checks of one row: its names, its picture, its bits."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataset_cards.layout import Shard
from evaluator.bitstream import unpack
from evaluator.codecs import load_codec
from evaluator.dataset.archives import check_png
from evaluator.dataset.faults import Faults
from evaluator.pictures import open_picture
from evaluator.pixels import decode_pixels
from protocol.errors import BitstreamError, CodecError, PictureError
from protocol.samples import parse_name

if TYPE_CHECKING:
    from PIL.Image import Image

Row = Mapping[str, Any]
Sizes = Mapping[str, tuple[int, int]]


def check_sample(where: str, shard: Shard, row: Row, faults: Faults) -> None:
    """Check that name, content, source and file agree."""
    try:
        sample = parse_name(row["name"])
    except PictureError as error:
        faults.add(where, error)
        return
    if (row["content"], row["source"]) != (sample.content, sample.source):
        faults.add(where, f"content {row['content']} and source {row['source']} are not the name's")
    if shard.split != sample.content:
        faults.add(where, f"lies in {shard.path}")


def check_picture(where: str, row: Row, sizes: Sizes | None, faults: Faults) -> bool:
    """Check that a picture is whole and what its row says; return whether it can be used."""
    image = row["image"]
    data = (image or {}).get("bytes")
    if not data:
        faults.add(where, "the picture is missing")
        return False
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        faults.add(where, "the picture's sha256 is not the row's")
    try:
        png = check_png(data, "the picture")
    except PictureError as error:
        faults.add(where, error)
        return False
    wanted = (sizes or {}).get(row["name"]) if sizes is not None else None
    if (png.width, png.height) != (row["width"], row["height"]):
        faults.add(where, f"{png.width}x{png.height}; the row says {row['width']}x{row['height']}")
    if wanted is not None and (png.width, png.height) != wanted:
        faults.add(where, f"{png.width}x{png.height}; its ground truth has {wanted[0]}x{wanted[1]}")
        return False
    return True


def check_bits(where: str, row: Row, faults: Faults) -> None:
    """Check that a reference's bits are its bitstream's, and its picture what that decodes to."""
    import numpy as np

    stream = row["bitstream"]
    if row["origin"] == "released":
        if stream is not None or row["bits"] is not None:
            faults.add(where, "a released reference has no bitstream, and so no bits")
        return
    if stream is None or row["bits"] != 8 * len(stream):
        held = "no bitstream" if stream is None else f"a bitstream of {8 * len(stream)} bits"
        faults.add(where, f"{row['bits']} bits, and {held}")
        return
    width, height = row["width"], row["height"]
    if row["bits_per_pixel"] != row["bits"] / (width * height):
        faults.add(where, f"{row['bits_per_pixel']} bits a pixel are not its bits over its pixels")
    try:
        if row["kind"] == "pixel":
            decoded = decode_pixels(stream, width, height)
        else:
            decoded = load_codec(row["codec"]).decode(stream, width, height)
    except (BitstreamError, CodecError) as error:
        faults.add(where, f"the bitstream cannot be decoded: {error}")
        return
    if not np.array_equal(np.asarray(decoded), np.asarray(open_row(row))):
        faults.add(where, "the picture is not what its bitstream decodes to")


def check_file(where: str, row: Row, faults: Faults) -> None:
    """Check that what a row says of its `.cmc` file is so."""
    try:
        stream = unpack(row["file"])
    except BitstreamError as error:
        faults.add(where, f"the file cannot be read: {error}")
        return
    wanted = made_bits(row["file"])
    for part, bits in wanted.items():
        if row[part] != bits:
            faults.add(where, f"{part} {row[part]}; the file has {bits}")
    if stream.mode != row["mode"]:
        faults.add(where, f"mode {row['mode']}; the file's is {stream.mode}")
    if row["status"] == "decoded" and (stream.width, stream.height) != (
        row["width"],
        row["height"],
    ):
        faults.add(where, f"the file is of a picture of {stream.width}x{stream.height}")


def made_bits(file: bytes) -> dict[str, int]:
    """Return the bits of a `.cmc` file by part."""
    sections = {section.kind: 8 * section.bytes for section in unpack(file).sections}
    bits = {f"{kind}_bits": sections.get(kind, 0) for kind in ("text", "pixels", "image")}
    total = 8 * len(file)
    return {**bits, "header_bits": total - sum(bits.values()), "bits": total}


def open_row(row: Row) -> "Image":
    """Return a row's picture, RGB."""
    return open_picture(row["image"]["bytes"], "the picture")
