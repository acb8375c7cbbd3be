"""Show the board in a browser, until stopped."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from evaluator.commands._numbers import PORT
from evaluator.commands._options import add_store
from evaluator.own_code import own_module

HELP = "show the board in a browser"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_store(parser)
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    parser.add_argument("--port", type=PORT, default=7860, help="default: 7860")


def run(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    serve_board(options.store, options.host, options.port)


def serve_board(store: str | Path, host: str, port: int) -> NoReturn:
    """Become the Space's own entry, `app.py`: the evaluator and the Space never import each other.

    The settings travel as they do to a Space, by environment variables.
    """
    os.environ["CMC_STORE"] = str(store)
    os.environ["GRADIO_SERVER_NAME"] = host
    os.environ["GRADIO_SERVER_PORT"] = str(port)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, own_module("app"))  # noqa: S606 - no shell is wanted
