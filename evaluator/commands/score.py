"""Score a folder of distorted pictures against references of the same names."""

import argparse
from pathlib import Path

from evaluator.commands._options import add_json, add_weights

HELP = "score a folder of pictures against another"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--reference", type=Path, required=True, help="folder of ground truth")
    parser.add_argument("--distorted", type=Path, required=True, help="folder of decoded pictures")
    parser.add_argument(
        "--indicator", action="append", default=[], metavar="NAME", help="can be given again"
    )
    parser.add_argument(
        "--set-indicator",
        action="append",
        default=[],
        metavar="NAME",
        help="one score for the whole folder: fid; can be given again",
    )
    add_weights(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print every picture's scores, then the means; all are higher-is-better."""
    import json
    from statistics import fmean

    from evaluator.devices import choose_device
    from evaluator.progress import progress_bars
    from evaluator.score import match_folders, score_folders
    from evaluator.set_scores import score_sets
    from protocol.errors import InputError

    if not options.indicator and not options.set_indicator:
        raise InputError("nothing to score by; name an --indicator or a --set-indicator")
    device = choose_device(options.device)
    pairs = match_folders(options.reference, options.distorted)
    with progress_bars() as report, report("score", len(pairs)) as advance:
        scores = score_folders(
            options.reference,
            options.distorted,
            options.indicator,
            weights=options.weights,
            device=device,
            on_pair=lambda: advance(1),
        )
    means = {
        name: fmean(by_name[name] for by_name in scores.values())
        for name in dict.fromkeys(options.indicator)
    }
    sets = {
        name: score_sets(
            options.reference, options.distorted, name, weights=options.weights, device=device
        )
        for name in dict.fromkeys(options.set_indicator)
    }
    if options.json:
        print(json.dumps({"mean": means, "sets": sets, "pictures": scores}, indent=1))
        return 0
    for picture, by_name in [*scores.items(), (f"mean of {len(scores)}", means)]:
        values = "  ".join(f"{name} {value:.4f}" for name, value in by_name.items())
        if values:
            print(f"{picture:<28}  {values}")
    for name, value in sets.items():
        print(f"{f'set of {len(scores)}':<28}  {name} {value:.4f}")
    return 0
