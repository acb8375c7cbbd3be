"""How a row of the benchmark's tables is made."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from protocol.samples import Sample

Row = dict[str, Any]


def sample_row(sample: Sample) -> Row:
    """Return the columns that say which ground truth a row is about."""
    return {"name": sample.name, "content": str(sample.content), "source": sample.source}


def picture_row(name: str, data: bytes, width: int, height: int) -> Row:
    """Return the columns of a picture: its file, byte for byte, and what can be said of it."""
    return {
        "image": {"bytes": data, "path": name},
        "width": width,
        "height": height,
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def released_reference_row(sample: Sample, kind: str, picture: Row) -> Row:
    """Return the row of a reference whose bitstream was never published."""
    return {
        **sample_row(sample),
        **picture,
        "kind": kind,
        "origin": "released",
        "codec": {"image": "vvc", "pixel": "pixels"}[kind],
        "encoder": "",
        **dict.fromkeys(("quality", "bitstream", "bits", "bits_per_pixel")),
    }


def built_reference_row(
    sample: Sample, kind: str, picture: Row, *, quality: int, encoder: str, bitstream: bytes
) -> Row:
    """Return the row of a reference that was made here."""
    bits = 8 * len(bitstream)
    return {
        **released_reference_row(sample, kind, picture),
        "origin": "built",
        "quality": quality,
        "encoder": encoder,
        "bitstream": bitstream,
        "bits": bits,
        "bits_per_pixel": bits / (picture["width"] * picture["height"]),
    }


def caption_row(sample: Sample, i2t: str, caption: str, origin: str) -> Row:
    """Return the row of a caption."""
    return {**sample_row(sample), "i2t": i2t, "caption": caption, "origin": origin}


def pseudonyms(viewers: Sequence[str], secret: bytes) -> Mapping[str, str]:
    """Return a pseudonym for each name, in an order that says nothing about the names.

    Args:
        viewers: the names.
        secret: what only those have who have the names anyway, such as the hash of their file.
    """

    def mixed(name: str) -> bytes:
        return hashlib.sha256(secret + name.encode()).digest()

    order = sorted(set(viewers), key=mixed)
    return {name: f"viewer-{number:02d}" for number, name in enumerate(order, start=1)}
