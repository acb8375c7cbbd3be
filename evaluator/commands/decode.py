"""Paint the picture of a .cmc file."""

import argparse
from pathlib import Path

from evaluator.commands._options import add_device, add_protocol
from evaluator.commands._streams import deliver, refuse_own_source, source
from evaluator.commands._text_options import add_text_prior, prior_from

HELP = "paint the picture of a .cmc file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", type=Path, metavar="IN.cmc", help="- is standard input")
    parser.add_argument(
        *("-o", "--out"),
        type=Path,
        required=True,
        metavar="OUT.png",
        help="- is standard output",
    )
    parser.add_argument(
        "--t2i",
        default="start-image",
        metavar="ADAPTER:MODEL",
        help="the model that paints (default: start-image, the transmitted picture itself)",
    )
    add_protocol(parser)
    add_text_prior(parser)
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Decode from the file's bytes alone."""
    from evaluator.bitstream import read_file
    from evaluator.codec import open_decoder
    from evaluator.pictures import png_bytes
    from protocol.versions import find_protocol

    path = source(options.file)
    refuse_own_source(options.out, path)
    _check_is_png(options.out)
    data = read_file(path)
    decoder = open_decoder(
        options.t2i, find_protocol(options.protocol), options.device, prior_from(options)
    )
    picture = decoder.decode(data)
    size = f"{picture.width}x{picture.height}"
    note = f"{options.out}: {size}, painted by {decoder.system.label}"
    deliver(options.out, png_bytes(picture), note)
    return 0


def _check_is_png(out: Path) -> None:
    from PIL import Image

    from protocol.errors import InputError

    if Image.registered_extensions().get(out.suffix.lower(), "PNG") != "PNG":
        raise InputError(f"{out} would be a PNG by another name; give one that ends in .png")
