"""What `cmc reproduce` and `cmc audit` share: a part of a finished row, run again here."""

import argparse
import shutil
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from evaluator.commands._in_process import add_in_process, require_in_process_for_ray
from evaluator.commands._options import (
    add_images,
    add_json,
    add_machine,
    add_store,
    bench_from,
    cache_from,
)
from protocol.counts import counted

if TYPE_CHECKING:
    from protocol.records import Result
    from protocol.replications import Replication
    from protocol.samples import Sample
    from submission.store import Store


def add_again(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that runs a part of a row again."""
    parser.add_argument("request", help="id of a finished request")
    add_images(parser)
    parser.add_argument("--i2t", metavar="ADAPTER:PATH", help="where the I2T model lies here")
    parser.add_argument("--t2i", metavar="ADAPTER:PATH", help="where the T2I model lies here")
    add_store(parser)
    add_machine(parser)
    add_in_process(parser)
    add_json(parser)


def find_result(store: "Store", options: argparse.Namespace) -> "Result":
    """Return the result of the request that is named.

    Raises:
        StoreError: there is none.
    """
    from protocol.errors import StoreError

    for result in store.results():
        if result.request.request_id == options.request:
            return result
    raise StoreError(f"{options.store} holds no result of {options.request}; see `cmc queue`")


def run_again(
    store: "Store",
    result: "Result",
    options: argparse.Namespace,
    choose: "Callable[[Sequence[Sample]], Sequence[str]]",
    name: str,
) -> "Replication":
    """Run the pictures that `choose` names again, from an empty cache, and compare.

    Args:
        store: holds the row.
        result: the row.
        options: of the command.
        choose: names pictures of the ground truth.
        name: of this second run: one that was killed goes on where it was.

    Raises:
        InputError: Ray was asked for without `--in-process`.
    """
    from dataclasses import replace

    from evaluator.cache import Cache
    from evaluator.execution import run_part
    from evaluator.reproduce import relocate, reproduce, run_apart
    from protocol.samples import list_samples
    from submission.caption_files import with_captions_here
    from submission.identity import account_for

    require_in_process_for_ray(options)
    request = relocate(result.request, {"i2t": options.i2t, "t2i": options.t2i})
    request = with_captions_here(request, store.ledger, cache_from(options) / "captions")
    # Of its own, so that a second run is one; kept until the end, so that it may be killed.
    cache = cache_from(options) / "replications" / name
    bench = replace(bench_from(options), cache=Cache(cache))
    replication = reproduce(
        replace(result, request=request),
        store.per_image_path(options.request).read_bytes(),
        bench,
        names=choose(list_samples(bench.images)),
        replicated_by=account_for(options.store).name,
        run=run_part if options.in_process else run_apart,
    )
    shutil.rmtree(cache, ignore_errors=True)
    return replication


def show(replication: "Replication") -> None:
    """Print how a second run compares."""
    for one in replication.agreements:
        mark = "agrees" if one.agrees else "DIFFERS"
        print(
            f"{one.mode:<6}{one.what:<15}{one.original:.4f} there, {one.replicated:.4f} here; "
            f"{counted(one.images, 'picture')}, tolerance {one.tolerance:.4f}: {mark}"
        )
    print(
        f"{replication.equal_pictures} of {replication.pictures} decoded pictures are equal to the "
        f"last bit"
    )
