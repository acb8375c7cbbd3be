"""Evaluate a system on a folder of pictures, without a queue.

Writes files/MODE/NAME.cmc, pictures/MODE/NAME.png, per_image.parquet and, last, result.json; what
an earlier run left in these places goes. With --json the result is on standard output, and every
step is a line of JSON on standard error.
"""

import argparse
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.bitstream import TEXT_CODERS
from evaluator.commands._options import add_json, add_machine, add_systems, bench_from, request_from
from evaluator.commands._text_options import add_text_prior, prior_from, with_text_coder
from protocol.counts import counted
from protocol.rules import Mode

if TYPE_CHECKING:
    from evaluator.bench import Bench
    from evaluator.run import Evaluation
    from protocol.records import Result

HELP = "evaluate a system on a folder of pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_systems(parser)
    parser.add_argument(
        "--text-coder",
        default="",
        choices=TEXT_CODERS,
        help="instead of the protocol's; the result is of a variant of the protocol",
    )
    add_text_prior(parser)
    add_machine(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for all that comes out")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Run everything and print the means; the exit status is 1 when nothing has a score."""
    from evaluator.failures import code_of
    from evaluator.fruitless import nothing_scored
    from evaluator.progress import progress_bars, progress_events
    from evaluator.run import evaluate
    from evaluator.summary import summarise
    from protocol.errors import InputError
    from protocol.failures import HINTS
    from protocol.jsonable import to_json

    if options.images.resolve().is_relative_to(options.out.resolve() / "pictures"):
        raise InputError(
            f"--out {options.out} would replace the pictures of --images; name another"
        )

    request, prior = request_from(options, "local"), prior_from(options)
    protocol = with_text_coder(request.protocol, options.text_coder, prior)
    request = replace(request, protocol=protocol)
    with progress_events() if options.json else progress_bars() as report:
        bench = replace(bench_from(options, report), text_prior=prior)
        # Whose machine this is, the store that it may be sent to cannot know.
        evaluation = evaluate(request, bench, source="self-reported")
    _export(evaluation, bench, options.out)
    if options.json:
        print(to_json(evaluation.result))
    else:
        _print_means(evaluation.result)
        for line in summarise(evaluation.result.run):
            print(line)
        print(f"written to {options.out}")
    if fruitless := nothing_scored(evaluation):
        print(f"cmc evaluate: {fruitless}", HINTS[code_of(fruitless)], sep="\n", file=sys.stderr)
        return 1
    return 0


def _export(evaluation: "Evaluation", bench: "Bench", out: Path) -> None:
    from protocol.files import write_whole
    from protocol.jsonable import to_json

    # Of an earlier run, which would pass for this one's until its own is written last.
    (out / "result.json").unlink(missing_ok=True)
    written: set[Path] = set()
    for item in evaluation.decoded:
        stem, mode = Path(item.encoded.sample.name).stem, item.encoded.mode
        content = {out / "files" / mode / f"{stem}.cmc": item.encoded.data}
        if not item.entry.failure_code:
            picture = out / "pictures" / mode / f"{stem}.png"
            content[picture] = bench.cache.picture_bytes(item.key)
        for path, data in content.items():
            write_whole(path, data)
        written |= content.keys()
    for mode, pattern in product(Mode, ("files/{}/*.cmc", "pictures/{}/*.png")):
        for path in set(out.glob(pattern.format(mode))) - written:
            path.unlink()
    write_whole(out / "per_image.parquet", evaluation.per_image)
    write_whole(out / "result.json", to_json(evaluation.result).encode())


def _print_means(result: "Result") -> None:
    rates = {rate.mode: rate.bits_per_pixel for rate in result.rates if rate.content is None}
    for score in result.scores:
        if score.content is None:
            mean = "not scored" if score.mean is None else f"{score.mean:.4f}"
            lost = f", {score.not_scored} not scored" if score.not_scored else ""
            print(
                f"{score.mode:<6} {score.dimension}  {mean}  at {rates[score.mode]:.4f} bpp "
                f"({counted(score.images, 'picture')}{lost})"
            )
    for mode, count in result.provenance.captions_cut.items():
        if count:
            print(f"{mode:<6} the T2I model read only the beginning of {counted(count, 'caption')}")
