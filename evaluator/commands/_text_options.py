"""Options about the text coder and the prior that it learnt from."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import InputError

if TYPE_CHECKING:
    from evaluator.text_prior import TextPrior


def add_text_prior(parser: argparse.ArgumentParser) -> None:
    """Add `--text-prior`."""
    parser.add_argument(
        "--text-prior",
        type=Path,
        metavar="FILE",
        help="captions that the ppmd text coder learnt from, made by `cmc text-prior build`",
    )


def prior_from(options: argparse.Namespace) -> "TextPrior | None":
    """Return the prior that `--text-prior` names."""
    from evaluator.text_prior import read_prior

    return read_prior(options.text_prior) if options.text_prior else None


def check_prior_is_used(prior: "TextPrior | None", coder: str) -> None:
    """Refuse a prior that would decide nothing.

    Raises:
        InputError: the coder takes none.
    """
    if prior is not None and coder != "ppmd":
        raise InputError("--text-prior is for --text-coder ppmd; give both")


def with_text_coder(protocol: str, coder: str, prior: "TextPrior | None") -> str:
    """Return the protocol's variant with this text coder; the protocol where it is its own.

    Raises:
        InputError: a prior is given for a coder that takes none.
    """
    from evaluator.text_prior import PRIOR_DIGITS
    from protocol.versions import find_protocol, variant_name

    check_prior_is_used(prior, coder)
    if coder in ("", find_protocol(protocol).text_coder):
        return protocol
    changes = {"text_coder": coder}
    if prior is not None:
        changes["text_prior"] = prior.sha256[:PRIOR_DIGITS]
    return variant_name(protocol, changes)
