"""Paint the picture of a .cmc file."""

import argparse
from pathlib import Path

from evaluator.commands._options import add_device, add_protocol
from protocol.rules import Mode

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
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Decode from the file's bytes alone."""
    from evaluator.bitstream import read_file
    from evaluator.decode import receive
    from evaluator.decoders import find_decoder
    from evaluator.devices import choose_device
    from evaluator.pictures import write_picture
    from protocol.errors import DecodeError, InputError
    from protocol.versions import find_protocol
    from submission.systems import pin_system

    protocol = find_protocol(options.protocol)
    received = receive(read_file(options.file), protocol)
    module = find_decoder(options.t2i.partition(":")[0])
    system = pin_system(options.t2i)
    if received.mode not in module.MODES:
        raise InputError(
            f"{options.file} is of {received.mode} mode, which {system.label} cannot decode; "
            f"it does {', '.join(mode for mode in Mode if mode in module.MODES)}"
        )
    device = "cpu" if system.adapter == "start-image" else choose_device(options.device)
    (picture,) = module.load(system, protocol, device).decode([received])
    if isinstance(picture, DecodeError):
        raise picture
    write_picture(options.out, picture)
    print(f"{options.out}: {picture.width}x{picture.height}, {received.mode} mode, {system.label}")
    return 0
