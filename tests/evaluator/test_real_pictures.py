"""Image mode on real photographs is what ffmpeg itself makes of the VVC section."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluator.bitstream import unpack
from evaluator.codecs import load_codec
from evaluator.encode import compose
from evaluator.ffmpeg import ffmpeg_program
from evaluator.receive import receive
from protocol.rules import VVC_QP, Mode
from protocol.versions import PROTOCOLS

# Even, odd in one side, odd in both; 512 to 1024 pixels.
CROPS = {
    "NSI_pgc_002.png": None,
    "SCI_screen_006.png": (0, 0, 513, 600),
    "AIGI_sd1_001.png": (1, 1, 510, 510),
}


def bt601(section: bytes, size: tuple[int, int]) -> Any:
    """Return a VVC section's RGB by the formula of ITU-R BT.601, not rounded."""
    width, height = (side + side % 2 for side in size)
    command = [ffmpeg_program(), "-v", "error", "-f", "vvc", "-i", "-", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, input=section, capture_output=True, check=True).stdout
    planes = np.frombuffer(raw, "<u2") / 4
    y, cb, cr = np.split(planes, [width * height, width * height * 5 // 4])
    luma = (y.reshape(height, width) - 16) / 219
    blue, red = (
        (c.reshape(height // 2, width // 2).repeat(2, 0).repeat(2, 1) - 128) / 224 for c in (cb, cr)
    )
    rgb = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
    return (255 * np.stack(rgb, axis=-1)).clip(0, 255)[: size[1], : size[0]]


@pytest.mark.parametrize(("name", "crop"), CROPS.items(), ids=CROPS)
def test_the_decoded_picture_is_the_one_that_ffmpeg_gives(
    name: str, crop: tuple[int, int, int, int] | None, shared: Path, tmp_path: Path
) -> None:
    with Image.open(shared / "images" / name) as file:
        picture = file.convert("RGB").crop(crop) if crop else file.convert("RGB")
    vvc = load_codec("vvc").encode(picture, VVC_QP)
    data = compose(picture, Mode.IMAGE, caption=None, text_coder="zlib", image=("vvc", vvc)).pack()
    section = unpack(data).image
    assert section is not None
    (tmp_path / "section.vvc").write_bytes(section)
    # As docs/decisions.md says.
    flags = ["-sws_flags", "bicubic+accurate_rnd+full_chroma_int+bitexact", "-pix_fmt", "rgb24"]
    command = [ffmpeg_program(), "-v", "error", "-i", "section.vvc", *flags, "out.png"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with Image.open(tmp_path / "out.png") as file:
        expected = np.asarray(file.convert("RGB"))[: picture.height, : picture.width]
    start = receive(data, PROTOCOLS["demo-0"]).start
    assert start is not None
    assert np.array_equal(np.asarray(start), expected)
    assert np.abs(np.mean(expected - bt601(section, picture.size), axis=(0, 1))).max() < 0.2
    assert 0.004 < 8 * len(data) / (picture.width * picture.height) < 0.08
