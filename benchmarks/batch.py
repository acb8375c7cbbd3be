"""How far a picture and its scores change with the batch it is decoded in.

    python benchmarks/batch.py [--t2i ADAPTER:MODEL | --model sd15] [--images DIR] [--device cuda]

Decodes the same files one, two and seven at a time, with noise of each picture's own, and says by
how many grey levels pictures differ from those decoded one at a time, and their scores from theirs.
Without options the model is the demo's on the demo's pictures, resized to 128x128. All weights but
those of `--t2i` are random, TOPIQ's too.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from full_size import save
from material import machine, save_topiq
from PIL import Image

from evaluator.decoders import Decoder, Received, find_decoder
from evaluator.demo.models import build_t2i
from evaluator.demo.pictures import build_pictures
from evaluator.encode import compose
from evaluator.indicators import Indicator, find_indicator
from evaluator.receive import receive
from protocol.errors import DecodeError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS, Protocol
from submission.systems import pin_system

PICTURES = 7
INDICATORS = ("topiq_fr", "topiq_nr", "psnr")


def main() -> None:
    """Print one line a mode and batch size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--t2i", help="default: the demo's tiny model, random weights")
    parser.add_argument("--model", choices=["sd15", "sdxl"], help="in full size, random weights")
    parser.add_argument("--images", type=Path, help="default: the demo's pictures")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = options.images or folder / "images"
        if options.images is None:
            build_pictures(images)
        text = options.t2i or f"diffusers:{build_t2i(folder)}"
        if options.model:
            text = f"diffusers:{save(options.model, folder / options.model, options.device)}"
        save_topiq(folder / "weights")
        indicators = {
            name: find_indicator(name).load(
                folder / "weights" / f"{name.replace('_', '-')}.pth", options.device
            )
            for name in INDICATORS
        }
        protocol, system = PROTOCOLS["demo-0"], pin_system(text)
        decoder = find_decoder(system.adapter).load(system, protocol, options.device)
        print(machine())
        print(f"{system.label}, {options.side}x{options.side}, {options.device}")
        truths = read(images, options.side)
        for mode in (Mode.TEXT, Mode.PIXEL):
            compare(decoder, indicators, truths, mode, protocol)


def read(images: Path, side: int) -> dict[str, Image.Image]:
    """Return the first pictures of a folder by name, all of one size."""
    truths = {}
    for path in sorted(images.glob("*.png"))[:PICTURES]:
        with Image.open(path) as file:
            truths[path.stem] = file.convert("RGB").resize((side, side))
    return truths


def compare(
    decoder: Decoder,
    indicators: Mapping[str, Indicator],
    truths: Mapping[str, Image.Image],
    mode: Mode,
    protocol: Protocol,
) -> None:
    """Decode all pictures in batches of 1, 2 and 7 and print what differs."""
    received = [
        receive(
            compose(picture, mode, caption=name, text_coder="zlib", image=None).pack(), protocol
        )
        for name, picture in truths.items()
    ]
    alone = decode(decoder, received, 1)
    for size in (2, 7):
        together = decode(decoder, received, size)
        levels = np.abs(
            np.stack([np.asarray(picture, int) for picture in together])
            - np.stack([np.asarray(picture, int) for picture in alone])
        )
        print(
            f"{mode:<6} batch {size}: at most {levels.max()} grey levels, "
            f"{(levels > 0).mean():.2e} of the values differ; scores by at most "
            + ", ".join(
                f"{name} {differ(indicator, together, alone, list(truths.values())):.1e}"
                for name, indicator in indicators.items()
            ),
            flush=True,
        )


def decode(decoder: Decoder, received: Sequence[Received], size: int) -> list[Image.Image]:
    """Return all pictures, decoded `size` at a time."""
    made = []
    for start in range(0, len(received), size):
        for outcome in decoder.decode(received[start : start + size]):
            if isinstance(outcome, DecodeError):
                raise outcome
            made.append(outcome)
    return made


def differ(
    indicator: Indicator,
    together: Sequence[Image.Image],
    alone: Sequence[Image.Image],
    truths: Sequence[Image.Image],
) -> float:
    """Return the greatest difference of a picture's two scores, each scored by itself."""
    scores = [
        [
            indicator.score([picture], [truth])[0]
            for picture, truth in zip(made, truths, strict=True)
        ]
        for made in (together, alone)
    ]
    return float(max(abs(a - b) for a, b in zip(*scores, strict=True)))


if __name__ == "__main__":
    main()
