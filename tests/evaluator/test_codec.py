"""The codec contract: every codec gives a picture of the exact size back, from its bytes alone."""

import random
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import paint
from PIL import Image

from evaluator.bitstream import IMAGE_CODECS, Bitstream, unpack
from evaluator.captioners.file import read_captions
from evaluator.codec import open_codec
from evaluator.codecs import vvc
from evaluator.receive import receive
from evaluator.text_prior import build_prior
from protocol.errors import BitstreamError, CaptionError, InputError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS

DEMO = PROTOCOLS["demo-0"]
NAME = "NSI_pgc_000.png"


class Choice(NamedTuple):
    """A codec by its parts; `model` stands for the tiny one."""

    mode: Mode
    i2t: str | None = None
    t2i: str = "start-image"
    codec: str | None = None


CODECS = [
    *(Choice(Mode.IMAGE, codec=f"{name}:40") for name in IMAGE_CODECS),
    *(Choice(mode, i2t="file") for mode in (Mode.PIXEL, Mode.FULL)),
    *(Choice(mode, i2t="model", t2i="model") for mode in Mode),
]


@pytest.mark.parametrize("choice", CODECS, ids=str)
def test_a_codec_gives_a_picture_of_the_exact_size_back_and_the_same_again(
    choice: Choice, t2i: str, i2t: str, captions: Path
) -> None:
    codec = open_codec(
        mode=choice.mode,
        i2t={"file": f"file:{captions}", "model": i2t, None: None}[choice.i2t],
        t2i=t2i if choice.t2i == "model" else choice.t2i,
        codec=choice.codec,
        protocol="demo-0",
        device="cpu",
    )
    data = codec.encode(paint(97, 131), NAME)
    assert codec.encode(paint(97, 131), NAME) == data
    picture = codec.decode(data)
    assert isinstance(picture, Image.Image)
    assert picture.size == (97, 131)
    assert codec.decode(data).tobytes() == picture.tobytes()


def test_a_mode_may_be_named_and_a_name_of_none_is_refused_before_a_model_is_loaded() -> None:
    picture = paint(16, 16)
    assert open_codec(mode="image").encode(picture) == open_codec(mode=Mode.IMAGE).encode(picture)
    with pytest.raises(InputError, match="no mode 'fulll'; there are text, pixel, image, full"):
        open_codec(mode="fulll", i2t="transformers:not/here")


def test_a_mode_with_a_caption_needs_a_model_that_writes_it() -> None:
    with pytest.raises(CaptionError, match="full mode sends a caption, and no I2T model is given"):
        open_codec(mode=Mode.FULL).encode(paint(16, 16))


def test_a_file_of_a_mode_that_the_decoder_has_not_is_refused(captions: Path) -> None:
    codec = open_codec(mode=Mode.TEXT, i2t=f"file:{captions}")
    data = codec.encode(paint(16, 16), NAME)
    with pytest.raises(InputError, match="start-image cannot decode; it does pixel, image, full"):
        codec.decode(data)


def test_a_prior_shortens_a_caption_in_python_too(captions: Path) -> None:
    prior = build_prior(read_captions(captions).values())
    open_pixels = partial(open_codec, mode=Mode.PIXEL, i2t=f"file:{captions}")
    primed = open_pixels(text_coder="ppmd", text_prior=prior)
    data = primed.encode(paint(16, 16), NAME)
    assert len(data) < len(open_pixels().encode(paint(16, 16), NAME)) - 20
    assert primed.decode(data).size == (16, 16)
    with pytest.raises(InputError, match="no text coder 'gzip'; there are raw, zlib"):
        open_pixels(text_coder="gzip")


@pytest.mark.parametrize("size", [(16385, 1), (0, 5), (8192, 4097)])
def test_a_size_that_no_file_may_have_is_refused_before_anything_is_coded(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vvc, "encode", lambda *_: pytest.fail("it was coded"))
    with pytest.raises(BitstreamError, match="sides go from 1 to 16384"):
        open_codec().encode(Image.new("RGB", size))


def damage(section: bytes | None, rng: random.Random, *, keep_length: bool) -> bytes | None:
    """Return a section with one to three bytes overwritten and, at times, its end cut off."""
    if section is None:
        return None
    damaged = bytearray(section)
    for _ in range(rng.randrange(1, 4)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    if not keep_length and rng.random() < 0.3:
        del damaged[rng.randrange(1, len(damaged)) :]
    return bytes(damaged)


@pytest.mark.parametrize(
    ("mode", "count"), [(Mode.TEXT, 2000), (Mode.PIXEL, 500), (Mode.IMAGE, 40)]
)
def test_damage_under_a_right_checksum_gives_a_bitstream_error_or_a_picture(
    mode: Mode, count: int, captions: Path
) -> None:
    """Someone may write a file on purpose: sections are fuzzed and the checksum made right."""
    rng = random.Random(str(mode))
    codec = open_codec(mode=mode, i2t=f"file:{captions}")
    stream = unpack(codec.encode(paint(130, 70), NAME))
    refused = 0
    for _ in range(count):
        damaged = replace(
            stream,
            text=damage(stream.text, rng, keep_length=False),
            pixels=damage(stream.pixels, rng, keep_length=True),
            image=damage(stream.image, rng, keep_length=False),
        )
        data = damaged.pack()
        try:
            assert receive(data, DEMO).mode is mode
        except BitstreamError:
            refused += 1
    assert refused > 0


def test_a_text_bomb_under_a_right_checksum_is_refused() -> None:
    bomb = zlib.compress(bytes(10_000_000), 9)[:16000]
    data = Bitstream(width=8, height=8, mode=Mode.TEXT, text_coder="zlib", text=bomb).pack()
    with pytest.raises(BitstreamError, match="more than 16,384 bytes"):
        receive(data, DEMO)


def test_an_image_section_of_another_size_is_refused() -> None:
    image = unpack(open_codec().encode(paint(64, 64))).image
    data = Bitstream(width=66, height=64, mode=Mode.IMAGE, image_codec="vvc", image=image).pack()
    with pytest.raises(BitstreamError, match=r"image section cannot be decoded: .* 66x64 needs"):
        receive(data, DEMO)
