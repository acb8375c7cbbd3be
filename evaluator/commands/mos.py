"""Turn viewers' ratings into mean opinion scores.

RATINGS is a CSV or Parquet with the columns viewer, image, dimension, rating, time, session; the
dimension is consistency, perception (0 to 5) or nsfw (0 or 1). Ratings that cannot be used are
written with a reason each to a CSV beside the output; none is dropped in silence.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, add_keep, keep

if TYPE_CHECKING:
    from protocol.agreement import Agreement
    from protocol.mos import Opinions

HELP = "turn viewers' ratings into mean opinion scores"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("ratings", type=Path, metavar="RATINGS")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="CSV")
    parser.add_argument(
        "--screening",
        choices=["srocc", "bt500", "none"],
        default="srocc",
        help="how outliers are found: rank correlation under 0.6 (default, the paper's), "
        "ITU-R BT.500-13, or not at all",
    )
    parser.add_argument(
        "--raw", action="store_true", help="plain means: neither sessions nor viewers normalised"
    )
    parser.add_argument("--study", help="what to call it on the page (default: RATINGS' name)")
    add_keep(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Write the scores and say who was kept."""
    import json

    from evaluator.opinions import read_ratings, write_opinions
    from protocol.errors import RatingError
    from protocol.jsonable import to_plain
    from protocol.mos import Screening, nsfw_reports, opinions
    from protocol.ratings import Rated
    from protocol.studies import describe_study

    if options.out.resolve() == options.ratings.resolve():
        raise RatingError(
            f"the scores would take the ratings' place in {options.out}; name another"
        )
    parsed = read_ratings(options.ratings)
    there = {rating.dimension for rating in parsed.ratings}
    found = [
        opinions(parsed, dimension, Screening(options.screening), normalise=not options.raw)
        for dimension in (Rated.CONSISTENCY, Rated.PERCEPTION)
        if dimension in there or not there
    ]
    refused = [*parsed.refused, *(item for part in found for item in part.refused)]
    beside = write_opinions(options.out, found, nsfw_reports(parsed), refused)
    keep(options, describe_study(options.study or options.ratings.stem, parsed, found))
    if options.json:
        plain = {"opinions": to_plain(found), "refused": to_plain(refused)}
        print(json.dumps(plain, indent=1, ensure_ascii=False))
        return 0
    for part in found:
        for line in _lines(part):
            print(line)
    reasons: dict[str, int] = {}
    for item in refused:
        reasons[item.reason] = reasons.get(item.reason, 0) + 1
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    print(f"refused {len(refused)} ratings{': ' if told else ''}{told}")
    print(f"written to {options.out}" + (f" and {beside}" if refused else ""))
    return 0


def _lines(part: "Opinions") -> Iterator[str]:
    kept = [viewer for viewer in part.viewers if viewer.reason is None]
    yield f"{part.dimension}: {len(part.scores)} images, {len(kept)} of {len(part.viewers)} viewers"
    errors = [s.standard_error for s in part.scores if s.standard_error is not None]
    if errors:
        yield f"  standard error  {sum(errors) / len(errors):.3f} on average"
    yield f"  all viewers     {_agreement(part.agreement_all)}"
    yield f"  kept, as used   {_agreement(part.agreement_kept)}"
    for viewer in part.viewers:
        if viewer.reason is not None:
            srocc = "-" if viewer.srocc is None else f"{viewer.srocc:.3f}"
            yield f"  removed {viewer.viewer}: {viewer.reason}, SRoCC {srocc}"


def _agreement(found: "Agreement") -> str:
    alpha, single, mean = (
        "-" if value is None else f"{value:.3f}"
        for value in (found.alpha, found.icc_single, found.icc_mean)
    )
    return (
        f"alpha {alpha}, ICC(2,1) {single}, ICC(2,k) {mean} "
        f"({found.viewers} viewers, {found.icc_images} images rated by all)"
    )
