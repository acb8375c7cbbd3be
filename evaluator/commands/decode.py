"""Paint the picture of a .cmc file."""

import argparse
from pathlib import Path

from evaluator.commands._options import add_device, add_protocol
from evaluator.commands._text_options import add_text_prior, prior_from

HELP = "paint the picture of a .cmc file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", type=Path, metavar="IN.cmc")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.png")
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
    from evaluator.pictures import write_picture
    from protocol.versions import find_protocol

    data = read_file(options.file)
    decoder = open_decoder(
        options.t2i, find_protocol(options.protocol), options.device, prior_from(options)
    )
    picture = decoder.decode(data)
    write_picture(options.out, picture)
    print(f"{options.out}: {picture.width}x{picture.height}, painted by {decoder.system.label}")
    return 0
