"""Rates against scores: curves of codecs, Bjontegaard differences, fronts, equal rates.

`curve` and `equal` run codecs on a folder of pictures and write one CSV; the others read such CSVs,
or the per_image.parquet of `cmc evaluate`, whose modes are the points.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._numbers import LARGEST_BPP, RESAMPLES, SEED, number
from evaluator.commands._options import add_json, add_machine, bench_from, images_from
from protocol.counts import counted

if TYPE_CHECKING:
    from evaluator.rate_answers import (
        BjontegaardAnswer,
        BootstrappedDifference,
        CurvePoint,
        EqualRate,
    )
    from evaluator.rate_points import RatePoint

HELP = "curves of codecs, Bjontegaard differences, Pareto fronts, equal rates"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    curve = actions.add_parser("curve", help="measure a codec at several qualities")
    curve.add_argument("--codec", required=True, metavar="NAME", help="vvc, av1, jpeg, …")
    curve.add_argument("--qualities", required=True, help="comma-separated: 53,51,48,45")
    curve.set_defaults(answer=_curve)

    equal = actions.add_parser("equal", help="compare with a codec at the same rate")
    equal.add_argument("--codec", required=True, metavar="NAME", action="append", help="one or two")
    rate = equal.add_mutually_exclusive_group(required=True)
    rate.add_argument(
        "--target-bpp", type=number(above=0, most=LARGEST_BPP), help="bits per pixel of each file"
    )
    rate.add_argument(
        "--like",
        type=Path,
        metavar="FILE",
        help="each picture's rate in a CSV or per_image.parquet",
    )
    equal.add_argument("--setting", help="which of the settings, or modes, of --like")
    equal.set_defaults(answer=_equal)
    for action in (curve, equal):
        action.add_argument("--images", type=Path, required=True, help="folder of PNG files")
        action.add_argument("--out", type=Path, required=True, help="CSV to write")
        add_machine(action)

    bd = actions.add_parser("bd", help="Bjontegaard differences between two codecs")
    bd.add_argument("anchor", type=Path, metavar="ANCHOR")
    bd.add_argument("test", type=Path, metavar="TEST")
    bd.set_defaults(answer=_bd)
    front = actions.add_parser("front", help="which points no other dominates")
    front.add_argument("files", type=Path, nargs="+", metavar="FILE")
    front.set_defaults(answer=_front)

    for action in (curve, equal, bd, front):
        action.add_argument("--indicator", default="ssim", help="default: ssim")
        add_json(action)
    for action in (equal, bd):
        action.add_argument("--resamples", type=RESAMPLES, default=2000)
        action.add_argument("--seed", type=SEED, default=0, help="of the resamples (default: 0)")


def run(options: argparse.Namespace) -> int:
    """Print the answer as text or JSON."""
    import json

    from protocol.jsonable import to_plain

    answer, lines = options.answer(options)
    if options.json:
        print(json.dumps(to_plain(answer), indent=1, ensure_ascii=False))
    else:
        for line in lines:
            print(line)
    return 0


def _curve(options: argparse.Namespace) -> "tuple[list[CurvePoint], Iterator[str]]":
    from evaluator.codecs import check_quality
    from evaluator.progress import progress_bars
    from evaluator.rate_answers import curve_points
    from evaluator.rate_points import measure_ladder, write_points

    texts = [text.strip() for text in options.qualities.split(",")]
    qualities = [check_quality(options.codec, text) for text in texts]
    with progress_bars() as report:
        bench = bench_from(options, report)
        points = measure_ladder(options.codec, qualities, [options.indicator], bench)
    write_points(options.out, points)
    found = curve_points(points, options.indicator)
    return found, _point_lines(found, options.indicator)


def _equal(options: argparse.Namespace) -> "tuple[EqualRate, Iterator[str]]":
    from evaluator.progress import progress_bars
    from evaluator.rate_answers import equal_rate
    from evaluator.rate_points import measure_at_rates, write_points
    from protocol.errors import InputError
    from protocol.samples import list_samples
    from protocol.statistics.bootstrap import draw_resamples

    if len(options.codec) != (1 if options.like else 2):
        raise InputError("name two codecs with --codec, or one and a file with --like")
    samples = list_samples(images_from(options))
    # Too few pictures for the comparison must not be found out after all of them were coded.
    draw_resamples([sample.content for sample in samples], options.resamples, options.seed)
    sides: list[list[RatePoint]] = []
    if options.like:
        sides.append(_points_like(options))
        targets = {point.name: point.bits_per_pixel for point in sides[0]}
    else:
        targets = {sample.name: options.target_bpp for sample in samples}
    with progress_bars() as report:
        bench = bench_from(options, report)
        sides += [
            measure_at_rates(codec, targets, [options.indicator], bench) for codec in options.codec
        ]
    write_points(options.out, [point for side in sides for point in side])
    found = equal_rate(
        sides[0], sides[1], options.indicator, resamples=options.resamples, seed=options.seed
    )
    return found, _equal_lines(found)


def _points_like(options: argparse.Namespace) -> "list[RatePoint]":
    from evaluator.rate_points import read_points
    from protocol.errors import InputError

    points = [p for p in read_points(options.like) if p.indicator == options.indicator]
    settings = sorted({point.setting for point in points})
    chosen = options.setting or (settings[0] if len(settings) == 1 else "")
    if chosen not in settings:
        raise InputError(
            f"{options.like} has {options.indicator} scores of {', '.join(settings) or 'nothing'}; "
            "choose one with --setting"
        )
    return [point for point in points if point.setting == chosen]


def _bd(options: argparse.Namespace) -> "tuple[BjontegaardAnswer, Iterator[str]]":
    from evaluator.rate_answers import bjontegaard
    from evaluator.rate_points import read_points

    found = bjontegaard(
        read_points(options.anchor),
        read_points(options.test),
        options.indicator,
        resamples=options.resamples,
        seed=options.seed,
    )
    return found, _bd_lines(found)


def _front(options: argparse.Namespace) -> "tuple[list[CurvePoint], Iterator[str]]":
    from evaluator.rate_answers import curve_points
    from evaluator.rate_points import read_points

    points = [point for file in options.files for point in read_points(file)]
    found = curve_points(points, options.indicator)
    return found, _point_lines(found, options.indicator)


def _point_lines(points: "list[CurvePoint]", indicator: str) -> Iterator[str]:
    yield f"{'codec':<12}{'setting':>9}{'bpp':>10}{indicator:>12}{'pictures':>10}  on the front"
    for point in points:
        yield (
            f"{point.codec:<12}{point.setting:>9}{point.bits_per_pixel:>10.4f}"
            f"{point.score:>12.4f}{point.images:>10}  {'yes' if point.is_on_front else ''}".rstrip()
        )


def _equal_lines(found: "EqualRate") -> Iterator[str]:
    difference = found.result.difference
    yield f"{found.first} against {found.second}, {found.indicator} at equal rates"
    yield (
        f"  bits per pixel  {found.first_bits_per_pixel:.4f} and "
        f"{found.second_bits_per_pixel:.4f}; a picture's two rates differ by "
        f"{100 * found.largest_rate_gap:.1f} % at most"
    )
    yield f"  difference      {difference.value:.4f} [{difference.low:.4f}, {difference.high:.4f}]"
    yield (
        f"  win rate        {100 * found.result.win_rate.value:.1f} % of "
        f"{counted(found.result.images, 'picture')}, {found.result.left_out} left out"
    )


def _bd_lines(found: "BjontegaardAnswer") -> Iterator[str]:
    yield f"{found.test} against {found.anchor}, {found.indicator}"
    for title, unit, part, reason in (
        ("BD-rate", " %", found.rate_percent, found.rate_reason),
        (f"BD-{found.indicator}", "", found.score, found.score_reason),
    ):
        yield f"  {title:<12}" + (_bd_text(part, unit) if part else f"none: {reason}")


def _bd_text(part: "BootstrappedDifference", unit: str) -> str:
    value = part.value
    interval = f"no interval: {part.interval_reason};"
    if part.interval_low is not None and part.interval_high is not None:
        interval = f"[{part.interval_low:.4g}, {part.interval_high:.4g}],"
    return (
        f"{value.value:.4g}{unit} {interval} over {value.low:.4g} to {value.high:.4g} "
        f"({100 * value.share:.0f} % of the whole range), {counted(part.images, 'picture')}"
    )
