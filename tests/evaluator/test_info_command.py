"""`cmc info` says all that is in a file, also what it cannot read, and nothing to the terminal."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.bitstream import Bitstream
from evaluator.pixels import payload_bytes
from evaluator.text_coders import encode_caption
from protocol.rules import Mode

Cmc = Callable[..., subprocess.CompletedProcess[str]]


def write(path: Path, text: bytes, side: int = 64) -> Path:
    pixels = bytes(payload_bytes(side, side))
    stream = Bitstream(
        width=side, height=side, mode=Mode.PIXEL, text_coder="zlib", text=text, pixels=pixels
    )
    path.write_bytes(stream.pack())
    return path


def test_json_has_the_caption_and_the_coders_too(cmc: Cmc, tmp_path: Path) -> None:
    caption = "a\0b\n\x1b[31mcafe\u0301 \u05e9\u05dc\u05d5\u05dd"
    path = write(tmp_path / "a.cmc", encode_caption(caption, "zlib"))
    facts = json.loads(cmc("info", path, "--json").stdout)
    assert (facts["caption"], facts["caption_error"]) == (caption, "")
    assert (facts["text_coder"], facts["image_codec"]) == ("zlib", None)


def test_a_caption_cannot_steer_the_terminal(cmc: Cmc, tmp_path: Path) -> None:
    path = write(tmp_path / "a.cmc", encode_caption("a\nb\x1b[2J\u202ec", "zlib"))
    said = cmc("info", path).stdout
    assert said.splitlines()[-1] == r"caption (zlib): a\u000ab\u001b[2J\u202ec"


def test_a_caption_that_cannot_be_read_hides_nothing_else(cmc: Cmc, tmp_path: Path) -> None:
    path = write(tmp_path / "a.cmc", b"no zlib")
    said = cmc("info", path).stdout
    assert "\ncaption (zlib): not read, the text section is no zlib stream" in said
    facts = json.loads(cmc("info", path, "--json").stdout)
    assert facts["caption"] is None
    assert "no zlib stream" in facts["caption_error"]


@pytest.mark.parametrize(
    ("side", "rate"), [(1, "176 bits per pixel, ratio 0.136"), (4096, "0.002207 bits per pixel")]
)
def test_rates_have_four_digits_and_no_ratio_is_nought(
    side: int, rate: str, cmc: Cmc, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.cmc", encode_caption("a", "zlib"), side)
    assert rate in cmc("info", path).stdout
