"""What a restoration network gains over the VVC picture that it is given, in SSIM and PSNR.

    python benchmarks/restoration.py --images DIR --weights FILE [--each 4] [--grey luma]

Each picture is sent in image mode at the protocol's QP, in a real file, and decoded from that file
by `start-image` and by `spandrel:FILE`. A gain below 0 is a loss. Prints Markdown.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from PIL import Image

from evaluator.codecs import load_codec
from evaluator.decoders import find_decoder
from evaluator.encode import compose
from evaluator.indicators import Indicator, find_indicator
from evaluator.pictures import read_picture
from evaluator.receive import receive
from protocol.errors import DecodeError
from protocol.rules import Content, Mode
from protocol.samples import Sample, list_samples
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

PROTOCOL = PROTOCOLS["cmc-1"]
INDICATORS = ("ssim", "psnr")


@dataclass(frozen=True)
class Row:
    """One picture's rate and its scores without and with the network, by indicator."""

    name: str
    bpp: float
    seconds: float
    before: dict[str, float]
    after: dict[str, float]

    def gain(self, indicator: str) -> float:
        """Return what the network added."""
        return self.after[indicator] - self.before[indicator]


def main() -> None:
    """Print a line a picture, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--weights", required=True, help="a network that spandrel knows")
    parser.add_argument("--each", type=int, default=4, help="pictures of each content")
    parser.add_argument("--grey", choices=("channels", "luma"), default="channels")
    options = parser.parse_args()
    samples = choose(list_samples(options.images), options.each)
    text = f"spandrel:{options.weights}"
    if options.grey == "luma":
        text += "?grey=luma"
    rows = measure(text, samples, options)
    print(f"{Path(options.weights).name}, grey={options.grey}, VVC QP {PROTOCOL.vvc_qp}:\n")
    print("| picture | bpp | SSIM VVC | SSIM gain | PSNR VVC, dB | PSNR gain, dB | s |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(line(row.name, [row]))
    for content in Content:
        if chosen := [row for row in rows if row.name.startswith(f"{content}_")]:
            print(line(f"mean {content}", chosen))
    print(line(f"mean of {len(rows)}", rows))


def choose(samples: Sequence[Sample], each: int) -> list[Sample]:
    """Return so many samples of each content, spread over its names."""
    chosen = []
    for content in Content:
        of_content = [sample for sample in samples if sample.content is content]
        count = min(each, len(of_content))
        chosen += [of_content[place * len(of_content) // count] for place in range(count)]
    return chosen


def measure(text: str, samples: Sequence[Sample], options: argparse.Namespace) -> list[Row]:
    """Send, decode twice and score."""
    system = pin_system(text)
    network = find_decoder(system.adapter).load(system, PROTOCOL, "cpu")
    indicators = {name: find_indicator(name).load(None, "cpu") for name in INDICATORS}
    rows = []
    for sample in samples:
        truth = read_picture(options.images / sample.name)
        vvc = load_codec("vvc").encode(truth, PROTOCOL.vvc_qp)
        stream = compose(truth, Mode.IMAGE, caption=None, text_coder="zlib", image=("vvc", vvc))
        data = stream.pack()
        received = receive(data, PROTOCOL)
        started = time.perf_counter()
        (restored,) = network.decode([received])
        seconds = time.perf_counter() - started
        if isinstance(restored, DecodeError) or received.start is None:
            raise SystemExit(f"{sample.name}: {restored}")
        rows.append(
            Row(
                name=sample.name,
                bpp=8 * len(data) / (truth.width * truth.height),
                seconds=seconds,
                before=score(indicators, received.start, truth),
                after=score(indicators, restored, truth),
            )
        )
    return rows


def score(
    indicators: dict[str, Indicator], picture: Image.Image, truth: Image.Image
) -> dict[str, float]:
    """Return every indicator's score of a picture."""
    return {name: found.score([picture], [truth])[0] for name, found in indicators.items()}


def line(name: str, rows: Sequence[Row]) -> str:
    """Return a line of the table: the means over rows."""
    return (
        f"| {name} | {mean(row.bpp for row in rows):.4f} "
        f"| {mean(row.before['ssim'] for row in rows):.4f} "
        f"| {mean(row.gain('ssim') for row in rows):+.4f} "
        f"| {mean(row.before['psnr'] for row in rows):.2f} "
        f"| {mean(row.gain('psnr') for row in rows):+.3f} "
        f"| {mean(row.seconds for row in rows):.1f} |"
    )


if __name__ == "__main__":
    main()
