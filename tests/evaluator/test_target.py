"""A target rate is met by the nearest quality there is, on the bytes of whole files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import paint
from PIL import Image

from evaluator.__main__ import main
from evaluator.bitstream import IMAGE_CODECS, bits_per_pixel, unpack
from evaluator.captioners import Caption, NamedPicture
from evaluator.codec import FileEncoder
from evaluator.codecs import load_codec
from evaluator.encode import CodecSetting
from evaluator.target import encode_at_rate, nearest_quality
from protocol.errors import CodecError, InputError
from protocol.rules import Mode


class Counting:
    """A captioner that says something else each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def caption(self, batch: Sequence[NamedPicture]) -> list[Caption]:
        self.asked += 1
        return [Caption(text=f"A blue corner, number {self.asked}.")] * len(batch)


def make_encoder(mode: Mode = Mode.IMAGE, codec: str = "jpeg") -> FileEncoder:
    captioner = Counting() if mode.has_caption else None
    return FileEncoder(
        mode=mode, setting=CodecSetting(codec, 1), text_coder="zlib", captioner=captioner
    )


@pytest.mark.parametrize(
    ("target", "quality"),
    [(0.1, 9), (1.0, 9), (2.4, 7), (2.5, 7), (2.6, 6), (5.0, 3), (5.9, 3), (7.5, 2), (99.0, 1)],
)
def test_the_nearest_is_taken_then_the_smaller_then_the_better(target: float, quality: int) -> None:
    rates = {9: 1.0, 8: 2.0, 7: 2.0, 6: 3.0, 5: 5.0, 4: 5.0, 3: 5.0, 2: 7.0, 1: 9.0}
    assert nearest_quality(range(9, 0, -1), rates.__getitem__, target) == quality


def test_seven_files_are_enough_for_64_qualities() -> None:
    asked = set()

    def rate_at(quality: int) -> float:
        asked.add(quality)
        return 64.0 - quality

    assert nearest_quality(range(63, -1, -1), rate_at, 30.4) == 34
    assert len(asked) <= 8


@pytest.mark.parametrize("codec", ["av1", "jpeg", "webp", "hevc"])
def test_no_other_quality_near_it_comes_nearer(codec: str) -> None:
    picture, encoder = paint(128, 96), make_encoder(codec=codec)
    found = encode_at_rate(encoder, picture, "", 0.5)
    assert found.data == encoder_at(encoder, found.setting.quality).encode(picture)

    def miss(quality: int) -> float:
        data = encoder_at(encoder, quality).encode(picture)
        return abs(bits_per_pixel(len(data), 128, 96) - 0.5)

    for quality in (found.setting.quality - 1, found.setting.quality + 1):
        assert miss(found.setting.quality) <= miss(quality)


def encoder_at(encoder: FileEncoder, quality: int) -> FileEncoder:
    setting = CodecSetting(encoder.setting.codec, quality)
    return FileEncoder(mode=encoder.mode, setting=setting, text_coder="zlib", captioner=None)


def test_a_caption_is_asked_for_once_and_counts() -> None:
    encoder, picture = make_encoder(Mode.FULL), paint(128, 96)
    found = encode_at_rate(encoder, picture, "", 1.0)
    assert isinstance(encoder.captioner, Counting)
    assert encoder.captioner.asked == 1
    assert unpack(found.data).text is not None
    alone = encode_at_rate(make_encoder(), picture, "", 1.0)
    assert found.setting.quality <= alone.setting.quality


@pytest.mark.parametrize("codec", sorted({*IMAGE_CODECS} - {"vvc"}))
def test_the_best_quality_makes_the_largest_file(codec: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    module, picture = load_codec(codec), Image.fromarray(noise)
    best_first = module.QUALITIES[::-1] if module.HIGHER_IS_BETTER else module.QUALITIES
    sizes = [len(module.encode(picture, quality)) for quality in best_first[:3]]
    assert max(sizes) == sizes[0]


def test_vvc_says_that_noise_in_a_fine_quality_does_not_fit() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    vvc = load_codec("vvc")
    assert len(vvc.encode(Image.fromarray(noise), 32)) > 700
    with pytest.raises(CodecError, match=r"room for one byte a pixel .* a higher QP"):
        vvc.encode(Image.fromarray(noise), 10)


# JPEG's qualities 1 and 2 have the same tables, so the same bytes: the better is said.
@pytest.mark.parametrize(("target", "quality"), [(1e-6, 2), (1e6, 100)])
def test_a_target_out_of_reach_gives_the_end_of_the_range(target: float, quality: int) -> None:
    found = encode_at_rate(make_encoder(), paint(128, 96), "", target)
    assert found.setting.quality == quality


def test_what_cannot_be_a_target_is_refused() -> None:
    for target in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="wanted a number above 0"):
            encode_at_rate(make_encoder(), paint(8, 8), "", target)
    with pytest.raises(InputError, match="pixel mode sends no picture whose quality"):
        encode_at_rate(make_encoder(Mode.PIXEL), paint(8, 8), "", 1.0)


def test_the_command_line_says_what_it_chose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paint(96, 64).save(tmp_path / "a.png")
    command = ["encode", str(tmp_path / "a.png"), "-o", str(tmp_path / "a.cmc"), "--mode", "image"]
    assert main([*command, "--codec", "av1", "--target-bpp", "0.3"]) == 0
    assert ", av1 at " in capsys.readouterr().out
    assert unpack((tmp_path / "a.cmc").read_bytes()).image_codec == "av1"
    assert main([*command, "--codec", "jpeg"]) == 1
    assert "give --quality or --target-bpp" in capsys.readouterr().err
    assert main([*command, "--codec", "jpeg", "--quality", "20"]) == 0
