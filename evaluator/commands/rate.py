"""Let viewers rate pictures in a browser, or export what they gave.

The page shows each distorted picture (any PNG under --distorted) beside the reference of the same
file name, in a random order for each viewer. Every answer is on the disk before the page goes on.
With --export the ratings are written as `cmc mos` and the dataset read them, to a CSV or Parquet.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from evaluator.commands._numbers import PORT
from evaluator.own_code import own_module

HELP = "let viewers rate pictures in a browser"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--ratings", type=Path, required=True, help="folder that keeps the ratings")
    parser.add_argument("--distorted", type=Path, help="folder of pictures to rate, of any depth")
    parser.add_argument("--references", type=Path, help="folder of ground-truth pictures")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--export", type=Path, metavar="FILE", help="write a CSV or Parquet and end"
    )
    instead.add_argument("--forget", metavar="NAME", help="remove a viewer's ratings and end")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    parser.add_argument("--port", type=PORT, default=7861, help="default: 7861")


def run(options: argparse.Namespace) -> int:
    """Export, or serve until stopped."""
    from protocol.errors import RatingError

    if options.forget is not None:
        return _forget(options.ratings, options.forget)
    if not options.export and (options.distorted is None or options.references is None):
        raise RatingError("name the pictures with --distorted and --references, or use --export")
    return _export(options.ratings, options.export) if options.export else _serve(options)


def _serve(options: argparse.Namespace) -> NoReturn:
    """Become the rating page: the evaluator and the Space never import each other."""
    os.environ["CMC_RATE_DISTORTED"] = str(options.distorted)
    os.environ["CMC_RATE_REFERENCES"] = str(options.references)
    os.environ["CMC_RATE_RATINGS"] = str(options.ratings)
    os.environ["GRADIO_SERVER_NAME"] = options.host
    os.environ["GRADIO_SERVER_PORT"] = str(options.port)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, own_module("space.rating.__main__"))  # noqa: S606 - no shell


def _forget(folder: Path, name: str) -> int:
    from protocol.rating_log import RatingLog

    removed = RatingLog(folder).forget(name)
    print(f"{removed} ratings removed; exports that were made before still hold them")
    return 0


def _export(folder: Path, path: Path) -> int:
    from evaluator.opinions import write_ratings
    from protocol.errors import RatingError
    from protocol.rating_log import RatingLog

    rows = RatingLog(folder).rows()
    if not rows:
        raise RatingError(f"{folder} holds no rating; `cmc rate` keeps them there")
    write_ratings(path, rows)
    viewers = len({row["viewer"] for row in rows})
    print(f"{len(rows)} ratings of {viewers} viewers written to {path}")
    return 0
