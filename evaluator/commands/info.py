"""Say what is in a .cmc file, byte for byte."""

import argparse
from pathlib import Path

from evaluator.commands._options import add_json
from evaluator.commands._streams import source
from evaluator.commands._text_options import add_text_prior, prior_from

HELP = "say what is in a .cmc file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", type=Path, metavar="FILE.cmc", help="- is standard input")
    add_text_prior(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print size, mode, rate and sections."""
    import json

    from evaluator.bitstream import bits_per_pixel, compression_ratio, read_file, unpack
    from evaluator.text_coders import decode_caption

    data = read_file(source(options.file))
    stream = unpack(data)
    size = len(data), stream.width, stream.height
    facts = {
        "width": stream.width,
        "height": stream.height,
        "mode": stream.mode.value,
        "total_bytes": len(data),
        "total_bits": 8 * len(data),
        "bits_per_pixel": bits_per_pixel(*size),
        "compression_ratio": compression_ratio(*size),
        "sections": [section._asdict() for section in stream.sections],
    }
    if options.json:
        print(json.dumps(facts, indent=1))
        return 0
    sections = ", ".join(f"{section.kind} {section.bytes:,}" for section in stream.sections)
    overhead = len(data) - sum(section.bytes for section in stream.sections)
    print(
        f"{stream.width}x{stream.height}, {stream.mode} mode, {len(data):,} bytes: "
        f"{sections}, header {overhead}\n"
        f"{facts['bits_per_pixel']:.4f} bits per pixel, ratio {facts['compression_ratio']:,.0f}"
    )
    if stream.text is not None and stream.text_coder is not None:
        caption = decode_caption(stream.text, stream.text_coder, prior_from(options))
        print(f"caption ({stream.text_coder}): {caption}")
    if stream.image_codec is not None:
        print(f"image: {stream.image_codec}")
    return 0
