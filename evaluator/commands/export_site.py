"""Write the board as a static site: the same page, without a server behind it."""

import argparse
import os
import sys
from pathlib import Path

from evaluator.commands._options import add_store
from evaluator.own_code import own_module

HELP = "write the board as a static site"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the site goes")
    add_store(parser)


def run(options: argparse.Namespace) -> int:
    """Become the Space's own export: the evaluator and the Space never import each other."""
    command = own_module("space.export", str(options.store), str(options.folder))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
