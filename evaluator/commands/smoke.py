"""Run a system on three pictures: what a worker does first, here and now.

Says how long a picture takes in each mode, what went wrong, and what the whole run would take.
"""

import argparse

from evaluator.commands._options import (
    add_json,
    add_machine,
    add_systems,
    bench_from,
    images_from,
    request_from,
)

HELP = "try a system on three pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_systems(parser)
    add_machine(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the report; a run that would fail raises."""
    import json

    from evaluator.progress import progress_bars
    from evaluator.smoke import cost_after, smoke_test
    from protocol.counts import counted
    from protocol.jsonable import to_plain
    from protocol.samples import list_samples

    request = request_from(options, "local")
    with progress_bars() as report_to:
        bench = bench_from(options, report_to)
        report = smoke_test(request, bench)
    images = len(list_samples(images_from(options)))
    cost = cost_after(report, request, {}, images, bench.device)
    if options.json:
        print(json.dumps({**to_plain(report), "whole_run_minutes": cost.gpu_minutes}))
    else:
        print(report.sentence)
        print(
            f"{counted(images, 'picture')} would take about {cost.gpu_minutes:.1f} minutes on this "
            f"machine ({cost.lowest:.1f} to {cost.highest:.1f}), scoring not counted"
        )
    return 0
