"""Check a system and queue it: its exact version is pinned and written into the store.

Everything that speaks against it is said at once, each with its code and what to do about it.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._findings import answer_of, report, show
from evaluator.commands._options import (
    add_json,
    add_store,
    add_systems,
    images_from,
    request_from,
    t2i_from,
)
from protocol.gpus import GPUS

if TYPE_CHECKING:
    from evaluator.reported import Bundle
    from protocol.records import Request
    from submission.cost import Cost
    from submission.facts import ModelFacts
    from submission.findings import Finding
    from submission.history import History
    from submission.identity import Account
    from submission.intake import Examined
    from submission.queue import Submitted
    from submission.store import Store

HELP = "queue a system for evaluation"
MAX_SENTENCE = 500
"""Characters of an error that are shown: what was sent may be in it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_systems(parser)
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="send what `cmc evaluate --out DIR` made, instead of --i2t, --t2i, --modes: no worker "
        "runs it, and it is self-reported until an audit",
    )
    add_store(parser)
    parser.add_argument("--paper", default="", help="address of the model's paper")
    parser.add_argument("--code", default="", help="address of the model's code")
    parser.add_argument("--trained-on", default="", help="what the model has seen")
    parser.add_argument(
        "--variants-tried",
        metavar="N",
        default="",
        help="how many variants of the model were scored on these pictures, or chosen among",
    )
    parser.add_argument("--comment", default="", help="anything else worth knowing")
    parser.add_argument(
        "--gpu", choices=list(GPUS), default="a100", help="for the estimate (default: a100)"
    )
    parser.add_argument("--check", action="store_true", help="only check; nothing is queued")
    parser.add_argument(
        "--not-a-duplicate",
        metavar="REASON",
        default="",
        help="for maintainers: why equal weights are no duplicate; goes into the history",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before queueing")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Write the request, or say why not; the exit status is 1 when it is refused."""
    from protocol.errors import InputError, ModelError, SignInError
    from submission.findings import Code, Finding
    from submission.wording import shown

    try:
        return _check_and_submit(options)
    except InputError as error:
        if not options.json or isinstance(error, SignInError):
            raise
        remedy = "`cmc submit --help` lists the options"
        if isinstance(error, ModelError):
            remedy = "`cmc systems` lists names, adapters and their settings"
        sentence = shown(str(error), MAX_SENTENCE)
        finding = Finding(code=Code.BAD_FORM, about="form", sentence=sentence, remedy=remedy)
        return report(options, [finding], None)


def _check_and_submit(options: argparse.Namespace) -> int:
    from evaluator.reported import check_reported
    from protocol.jsonable import to_plain
    from submission.findings import refusals
    from submission.identity import account_for
    from submission.intake import examine_request, with_fingerprints
    from submission.limits import limits_for
    from submission.rules import check_reach
    from submission.store import FolderStore, open_store
    from submission.wording import check_texts

    bundle = _bundle(options) if options.results else None
    store, account = open_store(options.store), account_for(options.store)
    examined = _examine(options)
    findings = [finding for one in examined.values() for finding in one.findings]
    findings += _check_captions(options)
    facts = {about: one.facts for about, one in examined.items() if one.facts}
    if refusals(findings):
        return report(options, [*findings, *check_texts(_declared(options))], None)
    request = with_fingerprints(_request(options, examined, account), facts)
    is_folder = isinstance(store, FolderStore)
    limits = limits_for(account, is_folder=is_folder)
    findings += () if is_folder or bundle else check_reach(request)
    findings += examine_request(request, facts, _history(store), limits)
    if options.not_a_duplicate:
        findings = _overrule(options, account, findings)
    cost = _cost(options, request, facts)
    if bundle and not refusals(findings):
        check_reported(bundle, request, images_from(options))
    if refusals(findings) or options.check:
        return report(options, findings, cost)
    if not options.json:
        show(findings, cost)
    if not _confirmed(options):
        print("nothing was queued", file=sys.stderr)
        return 1
    submitted = _submit(options, store, request, bundle)
    if options.json:
        plain = {**to_plain(submitted.state), "is_new": submitted.is_new}
        print(json.dumps({**plain, **answer_of(findings, cost)}))
    else:
        print(_became(store, request, submitted, bundle))
    return 0


def _bundle(options: argparse.Namespace) -> "Bundle":
    """Return the results that are sent, and let the options name the systems that made them."""
    from evaluator.reported import read_bundle, read_result
    from protocol.errors import InputError
    from submission.systems import typed

    if options.i2t or options.t2i or options.codec or options.modes:
        raise InputError("--results say which systems and modes they are of; leave these out")
    bundle = read_bundle(options.results)
    request = read_result(bundle.result).request
    options.i2t, options.t2i, options.codec = (
        system and typed(system) for system in (request.i2t, request.t2i, request.codec)
    )
    options.role, options.protocol = request.role, request.protocol
    options.modes, options.dataset = ",".join(request.modes), request.dataset
    return bundle


def _examine(options: argparse.Namespace) -> "Mapping[str, Examined]":
    from submission.intake import examine_system

    texts = {"i2t": options.i2t, "t2i": t2i_from(options)}
    return {about: examine_system(about, text) for about, text in texts.items() if text}


def _check_captions(options: argparse.Namespace) -> "list[Finding]":
    """Check a caption file of this machine; one that is not here was found to be missing."""
    from protocol.samples import list_samples
    from submission.caption_files import ADAPTER, check_captions
    from submission.folders import local_path

    adapter, _, name = (options.i2t or "").partition("?")[0].partition(":")
    path = local_path(name)
    if adapter != ADAPTER or not path.is_file():
        return []
    pictures = [sample.name for sample in list_samples(images_from(options))]
    return list(check_captions(path.read_bytes(), path.name, pictures))


def _request(
    options: argparse.Namespace, examined: "Mapping[str, Examined]", account: "Account"
) -> "Request":
    """Return the request about what was examined, at the commit that it was examined at."""
    from dataclasses import replace

    from protocol.rules import Role
    from submission.rules import modes_for
    from submission.systems import adapter_of

    pinned = {about: one.text for about, one in examined.items()}
    known = examined["t2i"].facts if "t2i" in examined else None
    able = ""
    if not options.modes and known and not options.codec:
        role = modes_for(Role(options.role), adapter_of(pinned["t2i"]), known.pipeline_class)
        able = ",".join(role)
    chosen = argparse.Namespace(
        **{
            **vars(options),
            "i2t": pinned.get("i2t"),
            "t2i": pinned.get("t2i"),
            "modes": options.modes or able,
            "strength_match": None,
        }
    )
    return replace(request_from(chosen, account.name), declared=_declared(options))


def _declared(options: argparse.Namespace) -> dict[str, str]:
    from protocol.declared import DECLARED

    return {name: value for name in DECLARED if (value := getattr(options, name))}


def _history(store: "Store") -> "History":
    from submission.history import history_of

    return history_of(store.ledger.refresh())


def _overrule(
    options: argparse.Namespace, account: "Account", findings: "Sequence[Finding]"
) -> "list[Finding]":
    """Let a maintainer answer the finding about equal weights."""
    from dataclasses import replace

    from submission.identity import require_maintainer
    from submission.rules import overrule_duplicate
    from submission.wording import check_texts

    require_maintainer(account, options.store)
    wrong = check_texts({"comment": options.not_a_duplicate})
    return [
        *overrule_duplicate(findings, account.name, options.not_a_duplicate),
        *(replace(one, about="not-a-duplicate") for one in wrong),
    ]


def _cost(
    options: argparse.Namespace, request: "Request", facts: "Mapping[str, ModelFacts]"
) -> "Cost | None":
    """Return the estimate; None where nothing runs on a GPU."""
    from protocol.samples import list_samples
    from submission.cost import estimate_cost, work_of

    if not facts:
        return None
    work = work_of(request, facts, len(list_samples(images_from(options))))
    return estimate_cost(work, facts.get("i2t"), facts.get("t2i"), options.gpu)


def _confirmed(options: argparse.Namespace) -> bool:
    """Ask on a terminal; a script that calls this command has decided."""
    if options.yes or options.json or not sys.stdin.isatty():
        return True
    return input("queue it? [y/N] ").strip().lower() in ("y", "yes")


def _submit(
    options: argparse.Namespace,
    store: "Store",
    request: "Request",
    bundle: "Bundle | None",
) -> "Submitted":
    from evaluator.reported import files_of, without_folders
    from submission.caption_files import files_to_store
    from submission.store import FolderStore

    attached = files_to_store(request)
    if not isinstance(store, FolderStore):
        # What lies there anybody can read.
        request, bundle = request.unplaced, bundle and without_folders(bundle)
    remark = f"not a duplicate: {options.not_a_duplicate}" if options.not_a_duplicate else ""
    if bundle:
        attached |= files_of(request.request_id, bundle)
        remark = "; ".join(filter(None, [remark, "with its results"]))
    return store.submit(request, remark=remark, attached=attached)


def _became(
    store: "Store", request: "Request", submitted: "Submitted", bundle: "Bundle | None"
) -> str:
    """Say what became of a submission, and what of it changes nothing."""
    request_id, status = request.request_id, submitted.state.status
    if submitted.is_queued:
        again = "" if submitted.is_new else " again"
        what = "`cmc receive` takes its results in" if bundle else "`cmc work` runs it"
        said = f"{request_id} is queued{again}; {what}, `cmc queue` shows it"
    else:
        lost = "; the results that you sent now were not taken" if bundle else ""
        before = "superseded, and its row stands again" if submitted.stands_again else ""
        said = f"{request_id} was {before or f'submitted before and is {status}'}{lost}"
    if store.request(request_id).declared != request.declared:
        said += "\nwhat was said of the model when it was first submitted stays"
    return said
