"""Make the counterpart of the paper's table 3, 4, 5 or 6 from a store's results.

Measured rows stand first, best first, and the paper's own after them; what was run with other
pictures, weights or protocol says so and is not comparable. Table 2 is made by `cmc indicators
correlate`, table A1 by `cmc ablate reference-qp`.
"""

import argparse
from pathlib import Path

from evaluator.commands._options import add_json, add_store, images_from

HELP = "the paper's tables 3 to 6 with results beside them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("table", choices=["3", "4", "5", "6"], metavar="NUMBER")
    add_store(parser)
    parser.add_argument(
        "--images", type=Path, help="the pictures, to name those the decoder's family made"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the table in Markdown."""
    from evaluator.paper_tables import paper_table
    from protocol.jsonable import to_json
    from protocol.samples import list_samples
    from submission.store import open_existing

    samples = list_samples(images_from(options)) if options.images else []
    table = paper_table(options.table, list(open_existing(options.store).results()), samples)
    if options.json:
        print(to_json(table))
        return 0
    print(f"# {table.title}\n")
    print(f"| {' | '.join(table.heads)} |")
    print(f"|{'---|' * len(table.heads)}")
    for row in table.rows:
        print(f"| {' | '.join(row)} |")
    for note in table.notes:
        print(f"\n{note}")
    return 0
