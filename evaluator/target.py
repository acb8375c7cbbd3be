"""The quality at which a whole `.cmc` file comes nearest to a wanted rate.

Bisection over the codec's qualities, on the bytes of real files. It takes for granted that a
better quality makes a larger file, which holds for all codecs here but for single steps; there it
finds one of the places where the sizes cross the target. Of the two neighbours there the nearer is
taken; of two equally near, the smaller file; of two files of one size, the better quality. Where
even the smallest or the largest file misses the target, that file is the answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from evaluator.bitstream import bits_per_pixel
from evaluator.codec import CaptionGiven, FileEncoder
from evaluator.codecs import load_codec
from evaluator.encode import CodecSetting
from protocol.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class AtRate:
    """A file, and the setting that made it."""

    data: bytes
    setting: CodecSetting


def encode_at_rate(encoder: FileEncoder, picture: "Image", name: str, target: float) -> AtRate:
    """Return the file of a picture whose rate is nearest to `target` bits per pixel.

    Args:
        encoder: its codec is used, and its quality is not.
        picture: the ground truth, RGB.
        name: what a caption file knows it by.
        target: of the whole file, text and header too.

    Raises:
        InputError: the target is not above 0, or the mode sends no picture.
    """
    if not target > 0:
        raise InputError(f"a target of {target} bits per pixel; wanted a number above 0")
    if not encoder.mode.has_image:
        raise InputError(
            f"{encoder.mode} mode sends no picture whose quality could be chosen; "
            "a target rate is for image and full mode"
        )
    codec = load_codec(encoder.setting.codec)
    if encoder.mode.has_caption:
        # Asked once: a model's caption costs seconds, and each file must carry the same one.
        encoder = replace(encoder, captioner=CaptionGiven(text=encoder.caption(picture, name)))

    @cache
    def file_at(quality: int) -> bytes:
        setting = CodecSetting(encoder.setting.codec, quality)
        return replace(encoder, setting=setting).encode(picture, name)

    def rate_at(quality: int) -> float:
        return bits_per_pixel(len(file_at(quality)), picture.width, picture.height)

    worst_first = codec.QUALITIES if codec.HIGHER_IS_BETTER else codec.QUALITIES[::-1]
    quality = nearest_quality(worst_first, rate_at, target)
    return AtRate(file_at(quality), CodecSetting(encoder.setting.codec, quality))


def nearest_quality(
    worst_first: Sequence[int], rate_at: Callable[[int], float], target: float
) -> int:
    """Return the quality whose rate is nearest to the target, by the rules above."""
    low, high = 0, len(worst_first) - 1
    # Everything before `low` is at or under the target, everything from `high` on is above it.
    while low < high:
        middle = (low + high + 1) // 2
        if rate_at(worst_first[middle]) <= target:
            low = middle
        else:
            high = middle - 1
    around = range(low, min(low + 2, len(worst_first)))
    best = min(
        around,
        key=lambda at: (abs(rate_at(worst_first[at]) - target), rate_at(worst_first[at]), -at),
    )
    return worst_first[best]
