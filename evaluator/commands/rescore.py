"""Score the pictures of finished rows by further indicators, for the page to show.

Nothing is ranked by them. The pictures are those of the runs, from the cache of the machine that
made them; pictures that differ in a bit are refused. Legibility of screens:
`cmc rescore --indicator legibility --content SCI --images DIR`.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, add_machine, add_store, bench_from
from protocol.rules import Content

if TYPE_CHECKING:
    from evaluator.rescore import Row
    from protocol.records import Result
    from protocol.secondary import RowScores, SecondaryScores
    from submission.store import Store

HELP = "score finished rows by further indicators"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "requests", nargs="*", metavar="REQUEST", help="ids; default: all rows of these pictures"
    )
    parser.add_argument("--indicator", action="append", required=True, metavar="NAME", help="again")
    parser.add_argument(
        "--content", action="append", choices=list(Content), help="default: all; may be repeated"
    )
    parser.add_argument("--images", type=Path, required=True, help="folder of ground-truth PNGs")
    add_store(parser)
    add_machine(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Score, keep the scores beside the results, and print them."""
    from evaluator.image_arrays import require_indicators
    from evaluator.lazy_indicator import LazyIndicator
    from evaluator.pictures import fingerprint_images
    from evaluator.progress import progress_bars
    from evaluator.rescore import rescore
    from protocol.secondary import SecondaryScores, merge_scores
    from submission.store import open_store

    names = list(dict.fromkeys(options.indicator))
    require_indicators(names, (), options.weights)
    contents = [Content(name) for name in options.content or Content]
    store = open_store(options.store)
    pictures = fingerprint_images(options.images)
    scored: dict[tuple[str, str], SecondaryScores] = {}
    for result in _chosen(options, store, pictures):
        with progress_bars() as report:
            bench = bench_from(options, report)
            indicators = [LazyIndicator(name, bench.weights, bench.device) for name in names]
            rows = rescore(_row(options, store, result), indicators, bench, contents)
        for indicator, row in zip(indicators, rows, strict=True):
            new = SecondaryScores(
                protocol=result.request.protocol,
                dataset_sha256=pictures,
                indicator=indicator.use,
                rows=(row,),
            )
            key = (new.protocol, indicator.name)
            scored[key] = merge_scores(scored.get(key), new)
            if not options.json:
                _show(result, indicator.name, row)
    for one in scored.values():
        _keep(options, store, one)
    return 0


def _row(options: argparse.Namespace, store: "Store", result: "Result") -> "Row":
    from evaluator.rescore import Row
    from submission.caption_files import with_captions_here

    captions = options.cache.expanduser() / "captions"
    return Row(
        request=with_captions_here(result.request, store.ledger, captions),
        per_image=store.per_image_path(result.request.request_id).read_bytes(),
        per_image_sha256=result.per_image_sha256,
    )


def _chosen(options: argparse.Namespace, store: "Store", pictures: str) -> "list[Result]":
    from protocol.controls import is_control
    from protocol.errors import StoreError

    results = {result.request.request_id: result for result in store.results()}
    missing = [request_id for request_id in options.requests if request_id not in results]
    if missing:
        raise StoreError(f"{options.store} holds no result of {missing[0]}; see `cmc queue`")
    if options.requests:
        return [results[request_id] for request_id in options.requests]
    found = [
        result
        for result in results.values()
        if result.request.dataset_sha256 == pictures and not is_control(result.request)
    ]
    if not found:
        raise StoreError(f"{options.store} holds no result on the pictures in {options.images}")
    return found


def _keep(options: argparse.Namespace, store: "Store", new: "SecondaryScores") -> None:
    """Keep the scores beside the results, with those of other rows that lie there."""
    from protocol.jsonable import to_json
    from protocol.secondary import merge_scores
    from submission.evidence import put_evidence, read_evidence

    there = {one.about: one for one in read_evidence(store.beside).secondary}
    put_evidence(store.beside, merge_scores(there.get(new.about), new))
    if options.json:
        print(to_json(new))


def _show(result: "Result", name: str, row: "RowScores") -> None:
    for score in row.scores:
        mean = "not scored" if score.mean is None else f"{score.mean:.4f}"
        print(
            f"{result.request.label}  {name:<12}{score.mode:<7}"
            f"{score.content or 'all':<6}{mean}  ({score.images} pictures)"
        )
