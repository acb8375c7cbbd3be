"""How far a picture changes with the batch it is decoded in: rounding, in grey levels.

    python benchmarks/batch.py [--t2i ADAPTER:MODEL] [--images DIR]

Decodes the same files one, two and seven at a time, with noise of each picture's own. Without
options the model is the demo's (random weights) on the demo's pictures, resized to 128x128.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from evaluator.decoders import find_decoder
from evaluator.demo.models import build_t2i
from evaluator.demo.pictures import build_pictures
from evaluator.encode import compose
from evaluator.receive import receive
from protocol.errors import DecodeError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

SIDE = 128
PICTURES = 7


def main() -> None:
    """Print one line a mode and batch size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--t2i", help="default: the demo's tiny model, random weights")
    parser.add_argument("--images", type=Path, help="default: the demo's pictures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images = options.images or Path(folder) / "images"
        if options.images is None:
            build_pictures(images)
        text = options.t2i or f"diffusers:{build_t2i(Path(folder))}"
        measure(text, images)


def measure(text: str, images: Path) -> None:
    """Decode all pictures in batches of 1, 2 and 7 and compare."""
    protocol, system = PROTOCOLS["demo-0"], pin_system(text)
    decoder = find_decoder(system.adapter).load(system, protocol, "cpu")
    print(f"{system.label}, {SIDE}x{SIDE}")
    for mode in (Mode.TEXT, Mode.PIXEL):
        received = []
        for path in sorted(images.glob("*.png"))[:PICTURES]:
            with Image.open(path) as file:
                picture = file.convert("RGB").resize((SIDE, SIDE))
            stream = compose(picture, mode, caption=path.stem, text_coder="zlib", image=None)
            received.append(receive(stream.pack(), protocol))
        decoded = {}
        for size in (1, 2, 7):
            outcomes = []
            for start in range(0, len(received), size):
                outcomes += decoder.decode(received[start : start + size])
            failed = [outcome for outcome in outcomes if isinstance(outcome, DecodeError)]
            if failed:
                raise failed[0]
            decoded[size] = np.stack([np.asarray(outcome, int) for outcome in outcomes])
        for size in (2, 7):
            difference = np.abs(decoded[size] - decoded[1])
            print(
                f"{mode:<6} batch {size}: at most {difference.max()} grey levels, "
                f"{(difference > 0).mean():.2e} of the values differ"
            )


if __name__ == "__main__":
    main()
