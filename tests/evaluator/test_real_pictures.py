"""Image mode on real photographs is what ffmpeg itself makes of the VVC section."""

import subprocess
from pathlib import Path

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
    command = [ffmpeg_program(), "-v", "error", "-i", "section.vvc", "-pix_fmt", "rgb24", "out.png"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with Image.open(tmp_path / "out.png") as file:
        expected = np.asarray(file.convert("RGB"))[: picture.height, : picture.width]
    start = receive(data, PROTOCOLS["demo-0"]).start
    assert start is not None
    assert np.array_equal(np.asarray(start), expected)
    assert 0.004 < 8 * len(data) / (picture.width * picture.height) < 0.08
