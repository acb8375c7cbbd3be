"""The words of the page: what tracks, modes and columns are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.rules import Dimension, Mode, Track

MODE_TITLES: Mapping[Mode, str] = {
    Mode.FULL: "Full · image and caption",
    Mode.IMAGE: "Image only",
    Mode.PIXEL: "Pixel · pixels and caption",
    Mode.TEXT: "Text · caption only",
}

DIMENSION_TITLES: Mapping[Dimension, str] = {
    Dimension.FR: "Consistency",
    Dimension.NR: "Perception",
}

CONTENT_TITLES: Mapping[str, tuple[str, str]] = {
    "all": ("All", "All images"),
    "NSI": ("NSI", "Natural scene images: photographs"),
    "SCI": ("SCI", "Screen content images: films, games, screens"),
    "AIGI": ("AIGI", "AI-generated images"),
}
"""What the content switch says, short and long."""

_TWO_TO_ONE = "(2 x mean consistency + mean perception) / 3 over {modes}; higher is better"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackWords:
    """What a track is called and how it is explained."""

    tab: str
    title: str
    about: str
    system: str
    """Title of the column with the systems' names."""
    system_tooltip: str
    overall: str
    """What the Overall of this track is."""
    partner: str
    """The words before the name of the pair's other half."""


TRACK_WORDS: Mapping[Track, TrackWords] = {
    Track.T2I_ULB: TrackWords(
        tab="T2I · ULB",
        title="Text-to-image models at ultra-low bitrate",
        about="Decoders that start from a strongly compressed picture, with a caption (full) or "
        "without (image): files about 1,000 times smaller than the pixels.",
        system="T2I model",
        system_tooltip="The text-to-image model that paints the picture back",
        overall=_TWO_TO_ONE.format(modes="full and image"),
        partner="captions by",
    ),
    Track.T2I_ELB: TrackWords(
        tab="T2I · ELB",
        title="Text-to-image models at extremely low bitrate",
        about="Decoders that get a caption and a handful of pixels (pixel), or the caption alone "
        "(text): files about 5,000 to 10,000 times smaller than the pixels.",
        system="T2I model",
        system_tooltip="The text-to-image model that paints the picture back",
        overall=_TWO_TO_ONE.format(modes="pixel and text"),
        partner="captions by",
    ),
    Track.T2I: TrackWords(
        tab="T2I · all",
        title="Text-to-image models over all modes",
        about="Decoders in full, image, pixel and text mode together. Systems that cannot do all "
        "four are listed below the others and have no rank here.",
        system="T2I model",
        system_tooltip="The text-to-image model that paints the picture back",
        overall=_TWO_TO_ONE.format(modes="full, image, pixel and text"),
        partner="captions by",
    ),
    Track.I2T: TrackWords(
        tab="I2T",
        title="Image-to-text models",
        about="Encoders that write the picture as a caption, judged by what one and the same "
        "decoder paints from it in full, pixel and text mode.",
        system="I2T model",
        system_tooltip="The image-to-text model that writes the caption",
        overall="Plain mean of consistency and perception over full, pixel and text; "
        "higher is better",
        partner="painted by",
    ),
    Track.CODEC: TrackWords(
        tab="Codecs",
        title="Conventional codecs",
        about="Still pictures of VVC, HEVC, AVC, AV1, JPEG, JPEG XL and WebP by themselves, as a "
        "yardstick: nothing is painted.",
        system="Codec",
        system_tooltip="The codec and its quantisation parameter (QP) or quality (q)",
        overall=_TWO_TO_ONE.format(modes="image"),
        partner="with",
    ),
}


def listed(words: Sequence[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    *head, last = words or [""]
    return f"{', '.join(head)} and {last}" if head else str(last)
