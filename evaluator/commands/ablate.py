"""Vary one thing and keep the rest, as the papers' appendices do.

NAME is a plan, which is a file: strength-full, strength-image, strength-pixel (figures A5 to A7),
caption-length (A4), reference-qp (table A1), raster-length and repeats (three decodings; both of
the paper on GPT-4o), or a path to one of your own. --values and --modes take the place of the
plan's. Only what the cache lacks is run. Writes NAME.json, NAME.md and NAME.html, a figure.
"""

import argparse
from pathlib import Path

from evaluator.commands._options import add_study, bench_from, keep_and_print, request_from

HELP = "vary one thing by a plan, with a table and a figure"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("plan", metavar="NAME", help="strength-full, reference-qp, … or a file")
    add_study(parser)
    parser.add_argument(
        "--indicator",
        action="append",
        metavar="NAME",
        help="secondary indicators instead of the plan's; may be repeated; none: the protocol's "
        "alone",
    )
    parser.add_argument("--values", help="comma-separated, instead of the plan's")
    parser.add_argument("--out", type=Path, required=True, help="folder for table and figure")


def run(options: argparse.Namespace) -> int:
    """Run the plan, write its table and figure, and print the table."""
    from dataclasses import replace

    from evaluator.ablation import read_plan, run_ablation
    from evaluator.ablation_text import ablation_figure, ablation_table
    from evaluator.progress import progress_bars
    from evaluator.set_indicators import set_indicator_names
    from protocol.files import write_whole
    from protocol.jsonable import to_json

    plan = read_plan(options.plan)
    if options.indicator is not None:
        asked = [name for name in options.indicator if name != "none"]
        sets = set_indicator_names()
        plan = replace(
            plan,
            indicators=tuple(name for name in asked if name not in sets),
            set_indicators=tuple(name for name in asked if name in sets),
        )
    if options.values:
        values = dict.fromkeys(text.strip() for text in options.values.split(","))
        plan = replace(plan, values=tuple(values))
    options.modes = options.modes or ",".join(plan.modes)
    request = request_from(options, "local")
    plan = replace(plan, modes=request.modes)
    with progress_bars() as report:
        found = run_ablation(plan, request, bench_from(options, report))
    table = ablation_table(found)
    write_whole(options.out / f"{plan.name}.json", to_json(found).encode())
    write_whole(options.out / f"{plan.name}.md", table.encode())
    write_whole(options.out / f"{plan.name}.html", ablation_figure(found).encode())
    keep_and_print(options, found, table)
    return 0
