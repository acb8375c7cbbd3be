"""Score the pictures of finished rows by further indicators, for the page to show.

Nothing is ranked by them. The pictures are those of the runs, from the cache of the machine that
made them; pictures that differ in a bit are refused. Legibility of screens:
`cmc rescore --indicator legibility --content SCI --images DIR`.
"""

import argparse
import json
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, bench_from
from evaluator.commands._rows import add_rows
from protocol.counts import counted
from protocol.rules import Content

if TYPE_CHECKING:
    from protocol.records import Result
    from protocol.secondary import RowScores, SecondaryScores
    from submission.store import Store

HELP = "score finished rows by further indicators"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_rows(parser)
    parser.add_argument("--indicator", action="append", required=True, metavar="NAME", help="again")
    parser.add_argument(
        "--content", action="append", choices=list(Content), help="default: all; may be repeated"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Score, keep the scores beside the results, and print them."""
    from evaluator.commands._rows import chosen_results, row_of
    from evaluator.image_arrays import require_indicators
    from evaluator.lazy_indicator import LazyIndicator
    from evaluator.progress import progress_bars
    from evaluator.rescore import rescore
    from protocol.jsonable import to_plain
    from protocol.secondary import SecondaryScores, merge_scores
    from submission.store import open_existing

    names = list(dict.fromkeys(options.indicator))
    require_indicators(names, (), options.weights)
    contents = [Content(name) for name in options.content or Content]
    store = open_existing(options.store)
    scored: dict[tuple[str, str], SecondaryScores] = {}
    for result in chosen_results(options, store):
        with progress_bars() as report:
            bench = bench_from(options, report)
            indicators = [LazyIndicator(name, bench.weights, bench.device) for name in names]
            rows = rescore(row_of(options, store, result), indicators, bench, contents)
        for indicator, row in zip(indicators, rows, strict=True):
            new = SecondaryScores(
                protocol=result.request.protocol,
                dataset_sha256=result.request.dataset_sha256,
                indicator=indicator.use,
                rows=(row,),
            )
            key = (new.protocol, indicator.name)
            scored[key] = merge_scores(scored.get(key), new)
            if not options.json:
                _show(result, indicator.name, row)
    for one in scored.values():
        _keep(store, one)
    if options.json:
        print(json.dumps([to_plain(one) for one in scored.values()], indent=1, allow_nan=False))
    return 0


def _keep(store: "Store", new: "SecondaryScores") -> None:
    """Keep the scores beside the results, with those of other rows that lie there."""
    from protocol.secondary import merge_scores
    from submission.evidence import put_evidence, read_evidence

    there = {one.about: one for one in read_evidence(store.beside).secondary}
    put_evidence(store.beside, merge_scores(there.get(new.about), new))


def _show(result: "Result", name: str, row: "RowScores") -> None:
    for score in row.scores:
        mean = "not scored" if score.mean is None else f"{score.mean:.4f}"
        print(
            f"{result.request.label}  {name:<12}{score.mode:<7}"
            f"{score.content or 'all':<6}{mean}  ({counted(score.images, 'picture')})"
        )
