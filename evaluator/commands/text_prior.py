"""Make or show a text prior: captions that both sides of the ppmd text coder have."""

import argparse
from pathlib import Path

from evaluator.commands._streams import refuse_own_source
from protocol.counts import counted

HELP = "make or show a prior of the ppmd text coder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="make a prior from a caption file")
    build.add_argument(
        "captions", type=Path, metavar="CAPTIONS", help="CSV or JSONL, name and text"
    )
    build.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="default: beside CAPTIONS, as .prior"
    )
    show = actions.add_parser("show", help="say what is in a prior")
    show.add_argument("file", type=Path, metavar="FILE")


def run(options: argparse.Namespace) -> int:
    """Write or read the file, and print its name and hash."""
    from evaluator.captioners.file import read_captions
    from evaluator.text_prior import build_prior, read_prior
    from protocol.files import write_whole

    if options.action == "show":
        path, prior = options.file, read_prior(options.file)
    else:
        path = options.out or options.captions.with_suffix(".prior")
        refuse_own_source(path, options.captions)
        prior = build_prior(read_captions(options.captions).values())
        write_whole(path, prior.data)
    count = prior.captions.count(b"\0")
    print(f"{path}: {counted(count, 'caption')}, {len(prior.data):,} bytes, sha256 {prior.sha256}")
    return 0
