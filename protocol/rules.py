"""The words and constants of the benchmark, each with its source.

P is the CMC-Bench paper, S its released scripts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Content(StrEnum):
    """What a ground-truth image shows (P 3.1)."""

    NSI = "NSI"
    """Natural scene image."""
    SCI = "SCI"
    """Screen content image."""
    AIGI = "AIGI"
    """AI-generated image."""


class Mode(StrEnum):
    """What is sent from the encoder to the decoder (P 3.2)."""

    TEXT = "text"
    PIXEL = "pixel"
    IMAGE = "image"
    FULL = "full"

    @property
    def has_caption(self) -> bool:
        """Whether a caption is sent."""
        return self is not Mode.IMAGE

    @property
    def has_image(self) -> bool:
        """Whether the picture is sent by an image codec."""
        return self in (Mode.IMAGE, Mode.FULL)

    @property
    def has_start(self) -> bool:
        """Whether the decoder starts from a transmitted picture rather than from noise."""
        return self is not Mode.TEXT


class Dimension(StrEnum):
    """What a score speaks of."""

    FR = "fr"
    """Consistency with the ground truth, by a full-reference indicator."""
    NR = "nr"
    """Perception, by a no-reference indicator."""


class Role(StrEnum):
    """What is being compared; the other half of the pair stays the same for all its rows."""

    I2T = "I2T"
    T2I = "T2I"
    CODEC = "codec"


class Track(StrEnum):
    """One board."""

    T2I_ULB = "t2i-ulb"
    T2I_ELB = "t2i-elb"
    T2I = "t2i"
    I2T = "i2t"
    CODEC = "codec"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRule:
    """Who stands on a board and how its Overall is made."""

    role: Role
    modes: tuple[Mode, ...]
    weights: Mapping[Dimension, float]
    """Share of each dimension's mean over the modes; they add up to 1."""


_TWO_TO_ONE = {Dimension.FR: 2 / 3, Dimension.NR: 1 / 3}
_ONE_TO_ONE = {Dimension.FR: 1 / 2, Dimension.NR: 1 / 2}

# The paper's text gives 2:1 for both. Its I2T numbers, and the public leaderboard's, are the plain
# mean of the six indicators; all 18 published Overalls follow from these two lines and no others.
TRACKS: Mapping[Track, TrackRule] = {
    Track.T2I_ULB: TrackRule(role=Role.T2I, modes=(Mode.FULL, Mode.IMAGE), weights=_TWO_TO_ONE),
    Track.T2I_ELB: TrackRule(role=Role.T2I, modes=(Mode.PIXEL, Mode.TEXT), weights=_TWO_TO_ONE),
    Track.T2I: TrackRule(
        role=Role.T2I, modes=(Mode.FULL, Mode.IMAGE, Mode.PIXEL, Mode.TEXT), weights=_TWO_TO_ONE
    ),
    Track.I2T: TrackRule(
        role=Role.I2T, modes=(Mode.FULL, Mode.PIXEL, Mode.TEXT), weights=_ONE_TO_ONE
    ),
    Track.CODEC: TrackRule(role=Role.CODEC, modes=(Mode.IMAGE,), weights=_TWO_TO_ONE),
}

IMAGES_PER_CONTENT: Mapping[Content, int] = {
    Content.NSI: 400,
    Content.SCI: 300,
    Content.AIGI: 300,
}
"""Ground-truth images of the benchmark (P 3.1): the weights of a mean over all contents."""

VVC_QP = 53
"""Quantisation parameter of the reference picture in image and full mode (P 3.3)."""

PIXEL_BLOCK = 64
"""Side of the block that pixel mode sends one pixel for (P 3.2)."""

PIXEL_BITS_PER_CHANNEL = 3
"""Not stated; the ratios 5,000 (pixel) and 10,000 (text) leave 9 to 10 bits a block (P 3.2)."""

SEED = 42
"""The scripts' global seed (S); here the seed of every picture's own generator derives from it."""

IMAGE_PROMPT = "High quality, masterpiece, clean, high-resolution, 8k"
"""The prompt of image mode, which sends no caption (S; the paper leaves it empty)."""

MAX_SIDE = 16384
"""Longest side a `.cmc` file can carry, in pixels (14 bits)."""

MAX_PIXELS = 1 << 25
"""Most pixels a picture may have: room for 8K (33 megapixels), and a bound for every decoder."""

MAX_CAPTION_BYTES = 1 << 14
"""Longest caption in UTF-8 bytes; the longest released one has 2,565."""

_PROMPT_HEAD = "Generate an informative paragraph in {words} words based on the image."
CAPTION_PROMPTS: Mapping[int, str] = {
    5: _PROMPT_HEAD.format(words=5),
    10: _PROMPT_HEAD.format(words=10) + " Considering Light, Color.",
    20: _PROMPT_HEAD.format(words=20) + " Considering Light, Color, Clarity.",
    50: _PROMPT_HEAD.format(words=50)
    + " Considering Light, Color, Clarity, Dense Caption, and Region Semantic.",
}
"""Q(n): the prompt for a caption of n words, in the paper's wording (P 4.1)."""
