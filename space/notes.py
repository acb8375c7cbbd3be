"""The words around a table: what its bench is, how many decimals it has, what to know of it."""

from collections.abc import Iterable, Sequence

from protocol.boards import Bench, Row
from protocol.ranks import common_gap
from protocol.records import Result
from protocol.rules import TRACKS, Dimension, Track
from protocol.versions import PROTOCOLS
from space.words import listed


def about_bench(bench: Bench, results: Sequence[Result], *, published: bool) -> list[str]:
    """Return what a bench is, in sentences."""
    sentences = []
    if published:
        sentences.append(
            "Published rows are as printed in the paper and on its public leaderboard: 1,000 "
            "images, TOPIQ with the benchmark's own weights. Their rates are in figures alone."
        )
    if results:
        counts = sorted({result.images for result in results})
        images = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
        names = {use.dimension: use.name for use in results[0].provenance.indicators}
        sentences.append(
            f"{images} images of {bench.dataset}; "
            f"consistency is {names.get(Dimension.FR, 'not named')}, "
            f"perception is {names.get(Dimension.NR, 'not named')}."
        )
        if bench.protocol in PROTOCOLS:
            sentences.append(f"{bench.protocol}: {PROTOCOLS[bench.protocol].summary}")
    return sentences


def decimals(track: Track, name: str, rows: Iterable[Row]) -> int:
    """Return as many decimals as were printed; four for measured means."""
    printed_with_three = track not in (Track.I2T, Track.T2I) or name != "all"
    return 3 if printed_with_three and all(row.source == "published" for row in rows) else 4


def note_for(track: Track, rows: Sequence[Row]) -> str:
    """Return what a reader of the table has to know; empty for nothing."""
    if track is Track.CODEC:
        return "More bits give a higher Overall: compare codecs at equal bits per pixel."
    gap = common_gap(rows)
    if gap and any(row.source == "published" for row in rows):
        used = listed([mode for mode in TRACKS[track].modes if mode not in gap])
        return (
            f"{listed(gap).capitalize()} scores were not published per content; "
            f"Overall is the mean of {used}."
        )
    if rows and rows[0].content and any(row.source == "published" for row in rows):
        return "The paper prints no Overall of one content; those here follow from its cells."
    return ""
