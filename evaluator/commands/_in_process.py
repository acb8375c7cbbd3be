"""Whether a command runs submitted weights in this process, or without any token in another."""

import argparse


def add_in_process(parser: argparse.ArgumentParser) -> None:
    """Add the option of a command that otherwise runs submitted weights without any token."""
    parser.add_argument(
        "--in-process",
        action="store_true",
        help="run submitted weights in this process, with whatever is in its environment",
    )


def require_in_process_for_ray(options: argparse.Namespace) -> None:
    """Refuse Ray where submitted weights are to run without any token.

    Raises:
        InputError: with what to give.
    """
    from protocol.errors import InputError

    if options.engine == "ray" and not options.in_process:
        raise InputError(
            "--engine ray runs submitted weights in Ray's processes, which are not kept from the "
            "tokens of their machines; give --in-process too where there are none"
        )
