"""What several benchmarks need: pictures, captions, weights with random values, and the machine."""

import hashlib
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from evaluator.demo.pictures import build_pictures
from evaluator.requests import make_request
from protocol.records import Request
from protocol.rules import Mode, Role

SIZES = ((256, 256), (384, 256), (320, 320), (512, 384), (256, 448), (384, 384), (512, 512))
"""Of the pictures, in turn: 256 to 512 pixels."""


def make_pictures(
    source: Path | None,
    folder: Path,
    count: int,
    *,
    largest: int = 512,
    of_a_size: int = 1,
    sizes: Sequence[tuple[int, int]] = SIZES,
) -> None:
    """Cut `count` pictures out of those of a folder, or of the demo's, in sizes that differ.

    Args:
        source: folder of PNG files; None takes the demo's pictures.
        folder: where they go.
        count: how many.
        largest: the longest side that any may have.
        of_a_size: how many follow each other in one size.
        sizes: width and height, in turn.
    """
    if source is None:
        source = folder.parent / "demo-images"
        build_pictures(source)
    paths = sorted(source.glob("*.png"))
    sizes = [size for size in sizes if max(size) <= largest]
    folder.mkdir(parents=True)
    for number in range(count):
        path = paths[number % len(paths)]
        content, kind, _ = path.stem.split("_")
        width, height = sizes[number // of_a_size % len(sizes)]
        with Image.open(path) as file:
            picture = file.convert("RGB")
        scale = max(width / picture.width, height / picture.height)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        picture.crop((0, 0, width, height)).save(folder / f"{content}_{kind}_{number:03d}.png")


def write_captions(images: Path, path: Path) -> None:
    """Write a caption file with a line of about twenty words for each picture."""
    words = "a soft light falls on the left side of a quiet scene with some colour and depth in it"
    lines = [f"{image.name},{image.stem.replace('_', ' ')}: {words}" for image in images.iterdir()]
    path.write_text("name,text\n" + "\n".join(sorted(lines)) + "\n", encoding="utf-8")


def ask_four_modes(images: Path, i2t: str, t2i: str) -> Request:
    """Return the request of a T2I model in every mode, scored by TOPIQ at the pictures' size."""
    return make_request(
        role=Role.T2I,
        i2t=i2t,
        t2i=t2i,
        codec=None,
        modes=tuple(Mode),
        protocol="demo-1",
        images=images,
        dataset="benchmark",
        submitter="benchmark",
    )


def save_topiq(folder: Path) -> None:
    """Write both of TOPIQ's weight files in the released form, with random weights."""
    import torch
    from pyiqa.archs.topiq_arch import CFANet

    folder.mkdir(parents=True)
    lines = []
    for name, use_ref in (("topiq-fr.pth", True), ("topiq-nr.pth", False)):
        torch.manual_seed(0)
        network = CFANet(use_ref=use_ref, backbone_pretrain=False, pretrained=False)
        torch.save({"params": network.state_dict()}, folder / name)
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        lines.append(f"{digest}  {name}\n")
    (folder / "sha256sums.txt").write_text("".join(lines), encoding="utf-8")


def machine() -> str:
    """Return the date, the machine, how busy it is and how many threads torch has."""
    import torch

    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, {os.cpu_count()} cores, "
        f"load {load}, torch {torch.__version__} with {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}"
    )
