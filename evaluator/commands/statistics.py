"""Say what the scores of single images prove: intervals, ranks, comparisons.

`board` makes the statistics of every board of a store, with the encoders' and decoders' effects,
and writes them beside its results, where the page reads them. The others print one question's
answer.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._numbers import RESAMPLES, SEED
from evaluator.commands._options import add_json, add_store
from protocol.rules import Content, Dimension, Track

if TYPE_CHECKING:
    from protocol.scores import Cell

HELP = "intervals, ranks and comparisons from per-image scores"
DEFAULT_RESAMPLES = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    board = actions.add_parser("board", help="make and store the statistics of the boards")
    board.add_argument("--track", choices=[t.value for t in Track], help="default: all")
    board.add_argument("--content", choices=["all", *Content], help="default: all and each")
    board.add_argument("--out", type=Path, help="folder to write to (default: the store's)")
    board.set_defaults(answer=_board)

    compare = actions.add_parser("compare", help="compare two systems on their common images")
    compare.add_argument("first", metavar="REQUEST", help="request id, or its beginning")
    compare.add_argument("second", metavar="REQUEST")
    _add_track(compare)
    compare.set_defaults(answer=_compare)

    matrix = actions.add_parser("matrix", help="encoder and decoder effects of the pairs")
    _add_track(matrix)
    matrix.set_defaults(answer=_matrix)

    weights = actions.add_parser("weights", help="who leads at which weight of consistency")
    _add_track(weights)
    weights.add_argument("--source", choices=["published", "results"], default="published")
    weights.set_defaults(answer=_weights)

    seeds = actions.add_parser("seeds", help="seed variance apart from image variance")
    seeds.add_argument("files", type=Path, nargs="+", metavar="PARQUET", help="one a seed")
    seeds.add_argument("--indicator", required=True)
    seeds.set_defaults(answer=_seeds)

    for action in (board, compare, matrix, weights):
        add_store(action)
    for action in (board, compare, matrix, seeds):
        action.add_argument("--resamples", type=RESAMPLES, default=DEFAULT_RESAMPLES)
        action.add_argument("--seed", type=SEED, default=0, help="of the resamples (default: 0)")
    for action in (board, compare, matrix, weights, seeds):
        add_json(action)


def _add_track(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--track",
        choices=[t.value for t in Track],
        default=Track.T2I_ULB.value,
        help="whose modes and weights make the Overall (default: t2i-ulb)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the answer as text or JSON."""
    import json

    from evaluator.statistics_text import LINES
    from protocol.jsonable import to_plain

    answer = options.answer(options)
    if options.json:
        print(json.dumps(to_plain(answer), indent=1, ensure_ascii=False))
    else:
        for line in LINES[options.action](answer):
            print(line)
    return 0


def _board(options: argparse.Namespace) -> object:
    from tempfile import TemporaryDirectory

    from evaluator.image_scores import read_measured
    from evaluator.progress import progress_bars
    from evaluator.statistics_answers import PAIR_TRACKS, make_boards, make_effects
    from submission.store import open_existing

    tracks = [Track(options.track)] if options.track else list(Track)
    contents: list[Content | None] = [None, *Content]
    if options.content:
        contents = [None if options.content == "all" else Content(options.content)]
    store = open_existing(options.store)
    folder = options.out or getattr(store, "folder", None)
    asked = {"resamples": options.resamples, "seed": options.seed}
    # Effects are of pairs that stand on any board.
    results = read_measured(store, tracks if options.out else None)
    if options.out is None:
        make_effects(store, results, [track for track in tracks if track in PAIR_TRACKS], **asked)
    # Of some hundred systems a board takes its time.
    with progress_bars() as report, TemporaryDirectory() as temporary:
        where = folder or Path(temporary)
        made = make_boards(results, where, tracks, contents, **asked, report=report)
        written = Path(temporary) / "statistics"
        if written.is_dir():
            store.beside.put(written, "statistics")
    return made


def _compare(options: argparse.Namespace) -> object:
    from evaluator.statistics_answers import compare_requests
    from submission.store import open_existing

    return compare_requests(
        open_existing(options.store),
        options.first,
        options.second,
        Track(options.track),
        resamples=options.resamples,
        seed=options.seed,
    )


def _matrix(options: argparse.Namespace) -> object:
    from evaluator.statistics_answers import fit_pairs
    from submission.store import open_existing

    return fit_pairs(
        open_existing(options.store),
        Track(options.track),
        resamples=options.resamples,
        seed=options.seed,
    )


def _weights(options: argparse.Namespace) -> object:
    from protocol.boards import published_rows, result_rows
    from protocol.statistics.weighting import leads
    from submission.store import open_existing

    track = Track(options.track)
    if options.source == "published":
        rows = published_rows(track, None)
    else:
        rows = result_rows(open_existing(options.store).results(), track, None)
    found = {}
    for bench in dict.fromkeys(row.bench for row in rows):
        complete = [row for row in rows if row.bench == bench and row.overall is not None]
        # Systems are compared over the same modes: those of the rows that lack the fewest.
        fewest = min((row.missing_modes for row in complete), key=len, default=())
        means = {
            f"{row.model} {row.request_id}".strip(): (
                _mean(row.scores, Dimension.FR),
                _mean(row.scores, Dimension.NR),
            )
            for row in complete
            if row.missing_modes == fewest
        }
        found[bench.label] = leads(means)
    return found


def _mean(scores: "Mapping[Cell, float]", wanted: Dimension) -> float:
    from statistics import fmean

    return fmean(value for (_, dimension), value in scores.items() if dimension is wanted)


def _seeds(options: argparse.Namespace) -> object:
    from evaluator.statistics_answers import separate_seeds

    return separate_seeds(
        options.files, options.indicator, resamples=options.resamples, seed=options.seed
    )
