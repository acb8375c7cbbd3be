"""Run part of a finished row again, here, and say whether the numbers agree.

The pictures are chosen by the request's id, and nothing is taken from the cache of the first run.
"""

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, add_machine, add_store, bench_from

if TYPE_CHECKING:
    from protocol.replications import Replication

HELP = "run part of a row again and compare"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("request", help="id of a finished request")
    parser.add_argument("--subset", type=int, default=50, help="number of pictures (default: 50)")
    parser.add_argument("--images", type=Path, required=True, help="folder of ground-truth PNGs")
    parser.add_argument("--i2t", metavar="ADAPTER:PATH", help="where the I2T model lies here")
    parser.add_argument("--t2i", metavar="ADAPTER:PATH", help="where the T2I model lies here")
    parser.add_argument("--file", action="store_true", help="write the record into the store")
    add_store(parser)
    add_machine(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Run, compare and print; the exit status is 1 when a mean is off beyond its tolerance."""
    from dataclasses import replace

    from evaluator.cache import Cache
    from evaluator.progress import progress_bars
    from evaluator.reproduce import relocate, reproduce
    from protocol.errors import InputError, StoreError
    from protocol.jsonable import to_json
    from submission.caption_files import with_captions_here
    from submission.identity import account_for
    from submission.replications import file_replication
    from submission.store import open_store

    if options.subset < 1:
        raise InputError(f"--subset {options.subset}: wanted a number from 1")
    store = open_store(options.store)
    found = [r for r in store.results() if r.request.request_id == options.request]
    if not found:
        raise StoreError(f"{options.store} holds no result of {options.request}; see `cmc queue`")
    result = found[0]
    request = relocate(result.request, {"i2t": options.i2t, "t2i": options.t2i})
    request = with_captions_here(request, store.ledger, options.cache.expanduser() / "captions")
    # Of its own, so that a second run is one; kept until the end, so that it may be killed.
    cache = options.cache.expanduser() / "replications" / options.request
    with progress_bars() as report:
        replication = reproduce(
            replace(result, request=request),
            store.per_image_path(options.request).read_bytes(),
            replace(bench_from(options, report), cache=Cache(cache)),
            size=options.subset,
            replicated_by=account_for(options.store).name,
        )
    shutil.rmtree(cache, ignore_errors=True)
    if options.json:
        print(to_json(replication))
    else:
        _show(replication)
    if options.file:
        path = file_replication(store, replication)
        if not options.json:
            print(f"filed as {path}")
    return 0 if replication.agrees else 1


def _show(replication: "Replication") -> None:
    for one in replication.agreements:
        mark = "agrees" if one.agrees else "DIFFERS"
        print(
            f"{one.mode:<6}{one.what:<15}{one.original:.4f} there, {one.replicated:.4f} here; "
            f"{one.images} pictures, tolerance {one.tolerance:.4f}: {mark}"
        )
    print(
        f"{replication.equal_pictures} of {replication.pictures} decoded pictures are equal to the "
        f"last bit"
    )
