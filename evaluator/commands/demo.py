"""Build pictures and tiny models, submit them, evaluate them here, and show the board.

Everything runs offline. The tiny models have random weights and say so in their names; the baseline
and the codecs are real.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._numbers import PORT

if TYPE_CHECKING:
    from evaluator.bench import Bench
    from submission.store import FolderStore

HELP = "try everything: build, submit, evaluate, serve"
FOLDER = Path("demo-run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where all of it goes (default: demo-run)"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        help="folder with TOPIQ's weights (default: the released files, where the Hub can be "
        "reached; elsewhere the demo runs with indicators that need none)",
    )
    parser.set_defaults(computes=True)
    parser.add_argument("--no-serve", action="store_true", help="print the board and end")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    parser.add_argument("--port", type=PORT, default=7860, help="default: 7860")


def run(options: argparse.Namespace) -> int:
    """Go the whole way; what an earlier run did is not done again."""
    from evaluator.commands.serve import serve_board
    from submission.store import FolderStore

    started = time.perf_counter()
    folder: Path = options.folder
    store = FolderStore(folder / "store")
    _say("building the demo's pictures and models")
    _build(folder)
    protocol = _choose_protocol(options.weights)
    if not _submit_and_work(store, protocol, _bench(folder, options.weights)):
        return 1
    _print_boards(store)
    _say(f"done in {time.perf_counter() - started:.0f} s; everything is in {folder}")
    if not options.no_serve:
        serve_board(store.folder, options.host, options.port)
    return 0


def _build(folder: Path) -> None:
    from evaluator.demo.models import build_i2t, build_t2i
    from evaluator.demo.pictures import build_pictures
    from evaluator.progress import progress_bars

    with progress_bars() as report, report("build", 12 + 2) as advance:
        build_pictures(folder / "images", advance)
        for build in (build_t2i, build_i2t):
            build(folder / "models")
            advance(1)


def _choose_protocol(weights: Path | None) -> str:
    from evaluator.weights import find_weights
    from protocol.errors import WeightsError

    try:
        for name in ("topiq-fr.pth", "topiq-nr.pth"):
            find_weights(name, weights)
    except WeightsError:
        if weights is not None:
            raise
        _say(
            "the benchmark's TOPIQ weights cannot be fetched here, so this runs protocol demo-0: "
            "MS-SSIM and PIQE, which need none"
        )
        return "demo-0"
    return "demo-1"


def _submit_and_work(store: "FolderStore", protocol: str, bench: "Bench") -> bool:
    from evaluator.demo.submissions import demo_requests
    from submission.store import OPEN

    for request in demo_requests(bench.images.parent, protocol):
        submitted = store.submit(request)
        _say(f"  {'submitted' if submitted.is_new else submitted.state.status:<9}  {request.label}")
    waiting = sum(entry.state.status in OPEN for entry in store.queue())
    if not waiting:
        return True
    _say(f"evaluating {waiting} requests on this machine")
    from evaluator.worker import work

    # The demo's models are its own, and a process for each would load torch each time.
    done = work(store, bench, once=False, say=_say, isolate=False)
    _make_statistics(store)
    return done.failed == 0


def _make_statistics(store: "FolderStore") -> None:
    """Store what the scores of the twelve pictures prove, for the page to show."""
    from evaluator.commands.statistics import DEFAULT_RESAMPLES
    from evaluator.image_scores import read_measured
    from evaluator.statistics_answers import PAIR_TRACKS, make_boards, make_effects
    from protocol.rules import Content, Track

    contents = [None, *Content]
    results = read_measured(store)
    make_boards(results, store.folder, list(Track), contents, resamples=DEFAULT_RESAMPLES, seed=0)
    make_effects(store, results, PAIR_TRACKS, resamples=DEFAULT_RESAMPLES, seed=0)


def _bench(folder: Path, weights: Path | None) -> "Bench":
    from evaluator.bench import Bench
    from evaluator.cache import Cache

    return Bench(
        images=folder / "images",
        cache=Cache(folder / "cache"),
        weights=weights,
        # The demo's models are so small that a GPU would only make the numbers harder to compare.
        device="cpu",
        batch_size=1,
    )


def _print_boards(store: "FolderStore") -> None:
    from evaluator.commands.leaderboard import print_board
    from protocol.boards import result_rows
    from protocol.rules import Track

    results = store.results()
    for track in (Track.T2I_ULB, Track.T2I_ELB, Track.I2T, Track.CODEC):
        print(f"\n{track}")
        print_board(result_rows(results, track, None))
    print(flush=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
