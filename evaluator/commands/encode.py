"""Write a picture as a .cmc file."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.bitstream import IMAGE_CODECS, TEXT_CODERS
from evaluator.commands._numbers import LARGEST_BPP, number
from evaluator.commands._options import add_device, add_protocol
from evaluator.commands._streams import deliver, refuse_own_source, source
from evaluator.commands._text_options import add_text_prior, check_prior_is_used, prior_from

if TYPE_CHECKING:
    from evaluator.captioners import Captioner

from protocol.rules import VVC_QP, Mode

HELP = "write a picture as a .cmc file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("picture", type=Path, metavar="IN.png", help="- is standard input")
    parser.add_argument(
        *("-o", "--out"),
        type=Path,
        required=True,
        metavar="OUT.cmc",
        help="- is standard output",
    )
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], required=True)
    caption = parser.add_mutually_exclusive_group()
    caption.add_argument("--caption", help="the text to send, for every mode but image")
    caption.add_argument("--i2t", metavar="ADAPTER:MODEL", help="the model that writes the text")
    parser.add_argument("--text-coder", default="zlib", choices=TEXT_CODERS, help="default: zlib")
    add_text_prior(parser)
    parser.add_argument("--codec", default="vvc", choices=IMAGE_CODECS, help="default: vvc")
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument(
        *("--quality", "--qp"),
        dest="quality",
        metavar="N",
        help=f"the codec's QP or quality (default: {VVC_QP} for vvc)",
    )
    rate.add_argument(
        "--target-bpp",
        type=number(above=0, most=LARGEST_BPP),
        metavar="BPP",
        help="the quality whose whole file comes nearest to this many bits per pixel",
    )
    add_protocol(parser)
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Encode and say how large the file is."""
    from evaluator.bitstream import rate_words
    from evaluator.codec import FileEncoder
    from evaluator.encode import CodecSetting
    from evaluator.pictures import read_picture
    from evaluator.target import encode_at_rate

    mode, path = Mode(options.mode), source(options.picture)
    refuse_own_source(options.out, path)
    prior = prior_from(options)
    check_prior_is_used(prior, options.text_coder)
    encoder = FileEncoder(
        mode=mode,
        setting=CodecSetting(options.codec, _quality(options, mode)),
        text_coder=options.text_coder,
        captioner=_captioner(options, mode),
        text_prior=prior,
    )
    picture = read_picture(path)
    if options.target_bpp is None:
        data, chosen = encoder.encode(picture, path.name), ""
    else:
        found = encode_at_rate(encoder, picture, path.name, options.target_bpp)
        data, chosen = found.data, f", {options.codec} at {found.setting.quality}"
    size = len(data), picture.width, picture.height
    note = f"{options.out}: {len(data):,} bytes, {rate_words(*size, 'bpp')}{chosen}"
    deliver(options.out, data, note)
    return 0


def _quality(options: argparse.Namespace, mode: Mode) -> int:
    from evaluator.codecs import check_quality, load_codec
    from protocol.errors import InputError

    if options.quality is not None:
        if not mode.has_image:
            raise InputError(f"{mode} mode sends no picture of a codec; leave out --quality")
        return check_quality(options.codec, options.quality)
    if options.codec == "vvc":
        return VVC_QP
    if options.target_bpp is None and mode.has_image:
        raise InputError(
            f"{options.codec} has no quality of its own; give --quality or --target-bpp"
        )
    return load_codec(options.codec).QUALITIES[0]


def _captioner(options: argparse.Namespace, mode: Mode) -> "Captioner | None":
    from evaluator.codec import CaptionGiven, open_captioner
    from protocol.errors import CaptionError
    from protocol.versions import find_protocol

    if not mode.has_caption:
        if any((options.caption is not None, options.i2t, options.text_prior)):
            raise CaptionError(
                "image mode sends no caption; leave out --caption, --i2t and --text-prior"
            )
        return None
    if options.caption is not None:
        return CaptionGiven(text=options.caption)
    if options.i2t is None:
        raise CaptionError(f"{mode} mode sends a caption; give --caption TEXT or --i2t MODEL")
    return open_captioner(options.i2t, find_protocol(options.protocol), options.device)
