"""List the indicators, fine-tune them on mean opinion scores, or see how they agree with people.

Without an action it lists: name, what it speaks of, whether the library's value was turned, range,
licences, weights and whether a protocol ranks by it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._numbers import SEED, number, whole
from evaluator.commands._options import add_device, add_json, add_keep, keep
from protocol.rules import Dimension

if TYPE_CHECKING:
    from evaluator.training.labels import Labelled
    from evaluator.training.loop import Epoch
    from protocol.correlations import AgreementRow, Interval

HELP = "list indicators, train them, or correlate them with opinions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_json(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    train = actions.add_parser("train", help="fine-tune on opinions, as the paper's appendix A.3")
    train.add_argument("indicator", metavar="NAME", help="one of table 2, e.g. topiq_fr")
    _add_labels(train)
    train.add_argument("--out", type=Path, required=True, help="folder for weights and checkpoint")
    train.add_argument(
        "--split-by",
        choices=["reference", "image"],
        default="reference",
        help="80/20 by ground truth (default: nothing seen twice) or by picture",
    )
    train.add_argument("--epochs", type=whole(1), default=50)
    train.add_argument("--learning-rate", type=number(above=0, most=1), default=2e-5)
    train.add_argument("--batch-size", type=whole(1), default=8)
    train.add_argument("--crop", type=whole(0), default=0, help="pixels a side (default: its own)")
    train.add_argument("--seed", type=SEED, default=0)
    train.add_argument("--mixed-precision", action="store_true")
    train.add_argument("--backbone", default="resnet50", help="TOPIQ's; another is for trying")
    train.add_argument("--resume", action="store_true", help="go on after the last whole epoch")
    start = train.add_mutually_exclusive_group(required=True)
    start.add_argument("--weights", type=Path, help="folder of published weights to start from")
    start.add_argument("--from-scratch", action="store_true", help="start from random weights")
    add_device(train)
    correlate = actions.add_parser("correlate", help="table 2: SRoCC, KRoCC and PLCC")
    _add_labels(correlate)
    correlate.add_argument(
        "--indicator", action="append", metavar="NAME", help="default: table 2's; may be repeated"
    )
    correlate.add_argument("--weights", type=Path, help="folder of the indicators' weights")
    correlate.add_argument(
        "--held-out-by",
        type=Path,
        metavar="DIR",
        help="only the pictures that the training in this folder held out",
    )
    add_device(correlate)
    add_keep(correlate)
    for action in (train, correlate):
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON"
        )


def _add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--labels", type=Path, required=True, metavar="CSV", help="as `cmc mos` writes it"
    )
    parser.add_argument("--pictures", type=Path, required=True, help="folder of distorted PNGs")
    parser.add_argument("--references", type=Path, required=True, help="folder of ground truth")


def run(options: argparse.Namespace) -> int:
    """Do what the action says; list without one."""
    actions = {"train": _train, "correlate": _correlate}
    return actions.get(options.action, _list)(options)


def _list(options: argparse.Namespace) -> int:
    import json

    from evaluator.indicator_list import indicator_list
    from protocol.jsonable import to_plain

    rows = indicator_list()
    if options.json:
        print(json.dumps(to_plain(rows), indent=1))
        return 0
    print(f"{'name':<11} {'of':<4} {'range':<9} {'turned':<7} {'ranks':<6} weights, licences")
    for row in rows:
        turned, ranks = ("yes" if flag else "" for flag in (row.lower_is_better, row.is_ranking))
        of = f"{row.dimension}{' set' if row.is_of_sets else ''}"
        print(f"{row.name:<11} {of:<7}{row.range:<9} {turned:<7}{ranks:<6}{row.implementation}")
        print(f"{'':<12}code: {row.code_licence}{row.program and f'; needs {row.program}'}")
        for file in row.files:
            print(f"{'':<12}{file.name}: {file.licence}; {file.url}")
    return 0


def _train(options: argparse.Namespace) -> int:
    import json

    from evaluator.devices import choose_device
    from evaluator.indicators import find_indicator
    from evaluator.progress import progress_bars
    from evaluator.training.loop import Plan, train
    from evaluator.training.networks import find_recipe
    from evaluator.training.splits import SplitBy, split_labels
    from protocol.jsonable import to_plain

    find_recipe(options.indicator)
    plan = Plan(
        indicator=options.indicator,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        batch_size=options.batch_size,
        crop=options.crop,
        split_by=SplitBy(options.split_by),
        seed=options.seed,
        mixed=options.mixed_precision,
        backbone=options.backbone,
    )
    labelled = _labels(options, find_indicator(options.indicator).DIMENSION)
    split = split_labels(labelled, plan.split_by, plan.seed)
    with progress_bars() as report:
        history = train(
            plan,
            split,
            options.out,
            weights=options.weights,
            device=choose_device(options.device),
            resume=options.resume,
            report=report,
            on_epoch=(lambda _: None) if options.json else _print_epoch,
        )
    if options.json:
        print(json.dumps(to_plain(history), indent=1))
    else:
        print(
            f"trained on {len(split.train)}, held out {len(split.test)}; weights in {options.out}"
        )
    return 0


def _print_epoch(epoch: "Epoch") -> None:
    loss = "untrained" if epoch.loss is None else f"loss {epoch.loss:.4f}"
    print(f"epoch {epoch.number:>3}  {loss}  held-out SRoCC {epoch.srocc:.4f}", flush=True)


def _correlate(options: argparse.Namespace) -> int:
    import json

    from evaluator.devices import choose_device
    from evaluator.image_arrays import require_indicators
    from evaluator.indicators import find_indicator
    from evaluator.progress import progress_bars
    from evaluator.training.table2 import (
        agreement_row,
        held_out_by,
        only_held_out,
        table2_names,
    )
    from protocol.correlations import Correlations
    from protocol.jsonable import to_plain

    names = options.indicator or table2_names()
    # A name that is mistyped, or weights that are not there, cost no scoring of the others.
    require_indicators(names, (), options.weights)
    held_out = None
    if options.held_out_by is not None:
        held_out = held_out_by(options.held_out_by)
    rows = []
    with progress_bars() as report:
        for name in names:
            labelled: Sequence[Labelled] = _labels(options, find_indicator(name).DIMENSION)
            if held_out is not None:
                labelled = only_held_out(labelled, held_out)
            device = choose_device(options.device)
            rows.append(
                agreement_row(name, labelled, weights=options.weights, device=device, report=report)
            )
    keep(options, Correlations(opinions=options.labels.stem, rows=tuple(rows)))
    if options.json:
        print(json.dumps(to_plain(rows), indent=1))
    else:
        _print_agreement(rows)
    return 0


def _labels(options: argparse.Namespace, dimension: Dimension) -> "list[Labelled]":
    from evaluator.training.labels import read_labels

    return read_labels(options.labels, options.pictures, options.references, dimension)


def _print_agreement(rows: "Sequence[AgreementRow]") -> None:
    heads = (f"{name:>24}" for name in ("SRoCC", "KRoCC", "PLCC"))
    print(f"{'':<10}{'pictures':>9}{''.join(heads)}   table 2: SRoCC KRoCC")
    for row in rows:
        found = row.measured
        cells = "".join(_interval(cell) for cell in (found.srocc, found.krocc, found.plcc))
        printed = (row.published_srocc, row.published_krocc)
        paper = "  ".join("-" if value is None else f"{value:.3f}" for value in printed)
        print(f"{row.indicator:<10}{found.pictures:>9}{cells}   {paper}")
    print("intervals: 95 %, percentile bootstrap over pictures; table 2 is of other pictures")


def _interval(found: "Interval") -> str:
    return f"{f'{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]':>24}"
