"""Finished rows that a command looks at again."""

import argparse
from typing import TYPE_CHECKING

from evaluator.commands._options import add_images, add_machine, add_store, cache_from, images_from

if TYPE_CHECKING:
    from evaluator.rescore import Row
    from protocol.records import Result
    from submission.store import Store


def add_rows(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which rows, of which store, on which pictures, and where."""
    parser.add_argument(
        "requests", nargs="*", metavar="REQUEST", help="ids; default: all rows of these pictures"
    )
    add_images(parser)
    add_store(parser)
    add_machine(parser)


def row_of(options: argparse.Namespace, store: "Store", result: "Result") -> "Row":
    """Return a result's row, with its files where they lie on this machine."""
    from evaluator.rescore import Row
    from submission.caption_files import with_captions_here

    captions = cache_from(options) / "captions"
    return Row(
        request=with_captions_here(result.request, store.ledger, captions),
        per_image=store.per_image_path(result.request.request_id).read_bytes(),
        per_image_sha256=result.per_image_sha256,
    )


def chosen_results(options: argparse.Namespace, store: "Store") -> "list[Result]":
    """Return the results of the rows that were asked for.

    Raises:
        StoreError: the store has no result of one, or none on these pictures.
    """
    from evaluator.pictures import fingerprint_images
    from protocol.controls import is_control
    from protocol.errors import StoreError

    results = {result.request.request_id: result for result in store.results()}
    missing = [request_id for request_id in options.requests if request_id not in results]
    if missing:
        raise StoreError(f"{options.store} holds no result of {missing[0]}; see `cmc queue`")
    if options.requests:
        return [results[request_id] for request_id in options.requests]
    pictures = fingerprint_images(images_from(options))
    found = [
        result
        for result in results.values()
        if result.request.dataset_sha256 == pictures and not is_control(result.request)
    ]
    if not found:
        raise StoreError(f"{options.store} holds no result on the pictures in {options.images}")
    return found
