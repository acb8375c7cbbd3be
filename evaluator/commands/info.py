"""Say what is in a .cmc file, byte for byte."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json
from evaluator.commands._streams import source
from evaluator.commands._text_options import add_text_prior, prior_from
from protocol.rules import MAX_CAPTION_BYTES
from submission.wording import shown

if TYPE_CHECKING:
    from evaluator.bitstream import Bitstream
    from evaluator.text_prior import TextPrior

HELP = "say what is in a .cmc file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", type=Path, metavar="FILE.cmc", help="- is standard input")
    add_text_prior(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print size, mode, rate, sections, and the caption or why it cannot be read."""
    import json

    from evaluator.bitstream import (
        bits_per_pixel,
        compression_ratio,
        rate_words,
        read_file,
        unpack,
    )

    data = read_file(source(options.file))
    stream = unpack(data)
    size = len(data), stream.width, stream.height
    caption, reason = _caption(stream, prior_from(options))
    facts = {
        "width": stream.width,
        "height": stream.height,
        "mode": stream.mode.value,
        "total_bytes": len(data),
        "total_bits": 8 * len(data),
        "bits_per_pixel": bits_per_pixel(*size),
        "compression_ratio": compression_ratio(*size),
        "sections": [section._asdict() for section in stream.sections],
        "text_coder": stream.text_coder,
        "caption": caption,
        "caption_error": reason,
        "image_codec": stream.image_codec,
    }
    if options.json:
        print(json.dumps(facts, indent=1))
        return 0
    sections = ", ".join(f"{section.kind} {section.bytes:,}" for section in stream.sections)
    overhead = len(data) - sum(section.bytes for section in stream.sections)
    print(
        f"{stream.width}x{stream.height}, {stream.mode} mode, {len(data):,} bytes: "
        f"{sections}, header {overhead}\n"
        f"{rate_words(*size, 'bits per pixel')}"
    )
    if stream.text_coder is not None:
        said = shown(caption, MAX_CAPTION_BYTES) if caption is not None else f"not read, {reason}"
        print(f"caption ({stream.text_coder}): {said}")
    if stream.image_codec is not None:
        print(f"image: {stream.image_codec}")
    return 0


def _caption(stream: "Bitstream", prior: "TextPrior | None") -> tuple[str | None, str]:
    """Return what a file says, or None and why it cannot be read; empty where it says nothing."""
    from evaluator.text_coders import decode_caption
    from protocol.errors import BitstreamError

    if stream.text is None or stream.text_coder is None:
        return None, ""
    try:
        return decode_caption(stream.text, stream.text_coder, prior), ""
    except BitstreamError as error:
        return None, str(error)
