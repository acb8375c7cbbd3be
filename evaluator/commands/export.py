"""Print a finished row in the form of another board, or open the pull request that brings it.

Forms: eval-results (`.eval_results/*.yaml` of the model's repository), eval-yaml (the dataset's),
every-eval-ever (0.3.0), bibtex, csv, compressai (a codec's qualities, or a pair's modes, as the
points of a curve).
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluator.commands._options import add_store

if TYPE_CHECKING:
    from protocol.records import Result
    from submission.exports.tasks import TaskValue
    from submission.store import Store

HELP = "print a row in the form of another board"
FORMATS = ("eval-results", "eval-yaml", "every-eval-ever", "bibtex", "csv", "compressai")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("request", nargs="?", help="id of a finished request; none for eval-yaml")
    parser.add_argument("--format", choices=FORMATS, required=True)
    parser.add_argument("--url", default="", help="where the row's result is published")
    parser.add_argument(
        "--pull-request",
        action="store_true",
        help="with eval-results: open it on the model's repository, as who `hf auth` knows",
    )
    parser.add_argument("--as-of", metavar="LABEL", help="with bibtex: cite this frozen board")
    add_store(parser)


def run(options: argparse.Namespace) -> int:
    """Print the text, or the pull request's address."""
    from protocol.errors import InputError
    from submission.exports.eval_results import benchmark_yaml, open_pull_request

    if options.pull_request and options.format != "eval-results":
        raise InputError("--pull-request is about --format eval-results")
    if options.as_of and options.format != "bibtex":
        raise InputError("--as-of is about --format bibtex")
    if options.format == "eval-yaml":
        print(benchmark_yaml(), end="")
        return 0
    if not options.request:
        raise InputError(f"which row? {options.format} is about one request; see `cmc queue`")
    if options.format == "compressai":
        print(_compressai(options))
        return 0
    if options.as_of:
        print(_cited(options).rstrip("\n"))
        return 0
    result, values = _find(options)
    text = _text(options, result, values)
    print(open_pull_request(result, text) if options.pull_request else text.rstrip("\n"))
    return 0


def _store(options: argparse.Namespace) -> "Store":
    from submission.store import open_existing

    return open_existing(options.store)


def _cited(options: argparse.Namespace) -> str:
    from submission.exports.texts import bibtex
    from submission.freezing import read_frozen

    board = read_frozen(_store(options), options.as_of)
    return bibtex(_result(options, board.results, options.as_of), options.url, board.entry)


def _result(options: argparse.Namespace, results: "Sequence[Result]", where: str) -> "Result":
    from protocol.errors import StoreError

    for result in results:
        if result.request.request_id == options.request:
            return result
    raise StoreError(f"{where} holds no result of {options.request}; see `cmc queue`")


def _compressai(options: argparse.Namespace) -> str:
    import json

    from submission.exports.compressai import compressai

    results = _store(options).results()
    _result(options, results, options.store)
    return json.dumps(compressai(results)[options.request], indent=1, ensure_ascii=False)


def _find(options: argparse.Namespace) -> "tuple[Result, tuple[TaskValue, ...]]":
    from evaluator.intervals import task_intervals
    from submission.exports.tasks import task_values

    store = _store(options)
    result = _result(options, store.results(), options.store)
    per_image = store.per_image_path(result.request.request_id)
    return result, task_values(result, task_intervals(per_image, result.request.role))


def _text(options: argparse.Namespace, result: "Result", values: "tuple[TaskValue, ...]") -> str:
    import json
    import time

    from submission.exports.eval_results import eval_results_yaml
    from submission.exports.every_eval_ever import every_eval_ever
    from submission.exports.texts import bibtex, csv_text

    if options.format == "eval-results":
        return eval_results_yaml(result, values, options.url)
    if options.format == "every-eval-ever":
        return json.dumps(every_eval_ever(result, values, int(time.time())), indent=1)
    return bibtex(result, options.url) if options.format == "bibtex" else csv_text(result, values)
