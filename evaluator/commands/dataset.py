"""Make, check and publish the datasets on the Hub; docs/dataset.md tells the whole way."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._options import add_device, add_json, add_protocol

if TYPE_CHECKING:
    from dataset_cards.cards import Inventory
    from dataset_cards.publishing import Plan

HELP = "make, check and publish the datasets on the Hub"
FULL = "cmc-bench-1"
KINDS = ("bench", "div2k", "requests", "results", "outputs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser("import", help="from the released archives to a dataset folder")
    action.add_argument("release", type=Path, metavar="RELEASE_DIR", help="folder of the archives")
    action.add_argument("--out", type=Path, required=True, help="the dataset folder to be made")
    _add_expect(action, "cmc-bench-1-archives", "must hold")
    action = actions.add_parser("build", help="make references and captions from ground truth")
    action.add_argument(
        "source", type=Path, nargs="+", metavar="SOURCE", help="folder of PNGs or a dataset folder"
    )
    action.add_argument("--out", type=Path, help="default: SOURCE, where that is a dataset folder")
    action.add_argument(
        "--as",
        dest="kind",
        choices=KINDS,
        default=KINDS[0],
        help="bench (default); div2k: SOURCE is DIV2K_valid_HR; requests, results: SOURCE is a "
        "store; outputs: SOURCEs are folders of `cmc evaluate --out`",
    )
    action.add_argument(
        "--i2t", action="append", default=[], metavar="SYSTEM", help="who writes captions"
    )
    action.add_argument(
        "--run",
        dest="runs",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a folder of `cmc evaluate --out`, for the table `distorted`",
    )
    action.add_argument("--no-references", action="store_true", help="leave references out")
    add_protocol(action)
    add_device(action)
    action = actions.add_parser("validate", help="look at every byte of a dataset folder")
    action.add_argument("folder", type=Path, metavar="PATH")
    _add_expect(action, FULL, "must hold")
    action = actions.add_parser("publish", help="show what would change on the Hub, or change it")
    action.add_argument("folder", type=Path, metavar="PATH")
    action.add_argument("repo", metavar="REPO", help="OWNER/NAME")
    action.add_argument("--yes", action="store_true", help="do it; without, only the plan is shown")
    action.add_argument("--tag", help="name of the release, for example v1.0")
    action.add_argument("--private", action="store_true", help="where the repository is to be made")
    _add_expect(action, FULL, "is checked against before")
    action = actions.add_parser("info", help="say what a dataset folder holds")
    action.add_argument("folder", type=Path, metavar="PATH")
    add_json(action)


def _add_expect(parser: argparse.ArgumentParser, default: str, what: str) -> None:
    parser.add_argument(
        "--expect",
        default=default,
        metavar="RELEASE|FILE",
        help=f"what the folder {what}: cmc-bench-1, cmc-bench-1-archives or a JSON file "
        f"(default: {default})",
    )


def run(options: argparse.Namespace) -> int:
    """Run one action."""
    ACTIONS[options.action](options)
    return 0


def _import(options: argparse.Namespace) -> None:
    from dataset_cards.cmc_bench.release import find_release
    from evaluator.dataset.importing import import_release
    from evaluator.progress import progress_bars

    with progress_bars() as report:
        release = find_release(options.expect)
        inventory = import_release(options.release, options.out, release, report)
    _print_inventory(inventory)
    print(f"{release.name}: whole; written to {options.out}")


def _build(options: argparse.Namespace) -> None:
    from evaluator.dataset.div2k import build_div2k
    from evaluator.dataset.runs import build_outputs
    from evaluator.dataset.stores import build_requests, build_results
    from evaluator.progress import progress_bars
    from protocol.errors import DatasetError
    from submission.store import open_store, require_there

    first: Path = options.source[0]
    out = options.out or first
    if len(options.source) > 1 and options.kind != "outputs":
        raise DatasetError(f"one SOURCE for {options.kind}; only outputs takes several")
    if options.kind == "bench":
        inventory = _build_bench(options, first, out)
    elif options.out is None:
        raise DatasetError(f"--as {options.kind} makes a new folder; say which with --out")
    elif options.kind == "div2k":
        inventory = build_div2k(first, out)
    elif options.kind == "outputs":
        with progress_bars() as report:
            inventory = build_outputs(options.source, out, report)
    else:
        build = {"requests": build_requests, "results": build_results}[options.kind]
        store = open_store(str(first))
        require_there(store)
        inventory = build(store, out)
    _print_inventory(inventory)
    print(f"written to {out}")


def _build_bench(options: argparse.Namespace, source: Path, out: Path) -> "Inventory":
    from evaluator.dataset.building import Wanted, build
    from evaluator.progress import progress_bars
    from protocol.versions import find_protocol

    wanted = Wanted(
        references=not options.no_references,
        i2t=options.i2t,
        runs=options.runs,
        protocol=find_protocol(options.protocol),
        device=options.device,
    )
    with progress_bars() as report:
        return build(source, out, wanted, report)


def _validate(options: argparse.Namespace) -> None:
    from dataset_cards.cards import dataset_of
    from dataset_cards.cmc_bench.features import CMC_BENCH
    from dataset_cards.cmc_bench.release import find_release
    from evaluator.dataset.validation import validate
    from evaluator.progress import progress_bars

    release = find_release(options.expect)
    with progress_bars() as report:
        inventory = validate(options.folder, release, report)
    _print_inventory(inventory)
    is_benchmark = dataset_of(options.folder) is CMC_BENCH
    print(f"{options.folder}: whole{f', as {release.name}' if is_benchmark else ''}")


def _publish(options: argparse.Namespace) -> None:
    from huggingface_hub import HfApi

    from dataset_cards.cards import dataset_of
    from dataset_cards.publishing import Publication
    from dataset_cards.repositories import check_repo
    from evaluator.dataset.folder import croissant_text

    check_repo(options.repo)
    _validate(options)
    dataset = dataset_of(options.folder)
    croissant = croissant_text(options.folder, dataset, options.repo)
    publication = Publication(options.folder, dataset, options.repo, croissant, HfApi())
    plan = publication.plan()
    _print_plan(plan)
    if options.tag is not None:
        publication.check_tag(options.tag, plan)
    if not options.yes:
        print("nothing was changed; --yes does it")
        return
    commit = publication.publish(plan, print, private=options.private)
    if options.tag is not None:
        publication.tag(options.tag, commit)
    print(f"{options.repo} is at {commit}{f', tagged {options.tag}' if options.tag else ''}")


def _info(options: argparse.Namespace) -> None:
    import json

    from dataset_cards.cards import dataset_of
    from evaluator.dataset.folder import inventory_of
    from protocol.jsonable import to_plain

    dataset = dataset_of(options.folder)
    inventory = inventory_of(options.folder, dataset)
    if options.json:
        print(json.dumps({"dataset": dataset.name, "configs": to_plain(inventory)}))
        return
    print(dataset.name)
    _print_inventory(inventory)


def _print_inventory(inventory: "Inventory") -> None:
    for config, splits in inventory.items():
        for split, size in splits.items():
            print(f"{config:<14} {split:<5} {size.rows:>7,} rows {size.files_bytes:>15,} bytes")


def _print_plan(plan: "Plan") -> None:
    state = f"at {plan.head[:12]}" if plan.head else "to be made"
    print(f"{plan.repo}, {state}: {plan.upload_bytes:,} bytes to send")
    for step in plan.steps:
        print(f"commit {step.name}")
        for change in step.changes:
            print(f"  {change.action:<7} {change.path}  {change.bytes:,}")
    if not plan.steps:
        print("nothing differs")


ACTIONS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "import": _import,
    "build": _build,
    "validate": _validate,
    "publish": _publish,
    "info": _info,
}
