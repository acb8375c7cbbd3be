"""Does a row's decoder paint from words alone what it has seen, or made, before?

Every picture of text mode is compared with all originals: is its own the nearest, is it a
near-duplicate, and do pictures that the decoder's own family made come back nearer than those of
other models? Nothing is ranked by it; the page shows it beside the row. The pictures are those of
the runs, from the cache of the machine that made them.
"""

import argparse
import json
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, bench_from
from evaluator.commands._rows import add_rows

if TYPE_CHECKING:
    from protocol.memorisation import Memorisation
    from protocol.records import Result

HELP = "look for pictures that a decoder knew by heart"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_rows(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Compare, keep what was found beside the results, and print it."""
    from evaluator.commands._rows import chosen_results, row_of
    from evaluator.memorisation import find_memorised
    from evaluator.progress import progress_bars
    from protocol.errors import StoreError
    from protocol.jsonable import to_plain
    from submission.evidence import put_evidence
    from submission.store import open_existing

    store = open_existing(options.store)
    results = chosen_results(options, store)
    if not options.requests:
        results = [result for result in results if _has_test(result)]
    if not results:
        raise StoreError(f"{options.store} holds no row with a T2I model and text mode")
    told = []
    for result in results:
        with progress_bars() as report:
            found = find_memorised(row_of(options, store, result), bench_from(options, report))
        put_evidence(store.beside, found)
        told.append(to_plain(found))
        if not options.json:
            print(_text(result, found))
    if options.json:
        print(json.dumps(told, indent=1, allow_nan=False))
    return 0


def _has_test(result: "Result") -> bool:
    from protocol.rules import Mode

    return result.request.t2i is not None and Mode.TEXT in result.request.modes


def _text(result: "Result", found: "Memorisation") -> str:
    lines = [
        (
            f"{result.request.label} with {result.request.partner or 'no I2T model'}, "
            f"{result.request.protocol}, from words alone, beside {found.originals} originals"
        ),
        f"{'made by':<20} {'content':<8} {'pictures':>8} {'nearest':>8} {'likeness':>9} copies",
    ]
    for origin in found.origins:
        whose = found.family if origin.is_own_family else "others"
        lines.append(
            f"{whose:<20} {origin.content:<8} {origin.pictures:>8} {origin.nearest:>8} "
            f"{origin.likeness:>9.3f} {len(origin.copies):>6}"
        )
    if found.lead is not None:
        lines.append(
            f"AI-generated pictures of its own family are {found.lead.value:+.3f} "
            f"[{found.lead.low:+.3f}, {found.lead.high:+.3f}] more like their originals"
        )
    if found.copies:
        lines.append(f"FLAG near-duplicates of the originals: {', '.join(found.copies)}")
    return "\n".join(lines)
