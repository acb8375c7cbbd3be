"""Figures of the rows of a board, one set a bench."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

from protocol.boards import Bench, Row
from protocol.controls import is_control
from protocol.records import Result
from protocol.rules import Mode, Track
from space.drawings.pareto import Point, pareto_figure
from space.drawings.plane import plane_figure
from space.drawings.radar import radar_figure
from space.drawings.rate import rate_figure
from space.drawings.tables import Bar, seconds_figure
from space.figure_entry import Drawn, digest, entry
from space.rows import Rows
from space.table import TRACKS_SHOWN, bench_title, ranked_rows, row_name
from space.words import TRACK_WORDS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 40


def board_figures(rows: Rows) -> Iterator[Drawn]:
    """Yield the figures of all boards."""
    codecs = rows.by_bench(Track.CODEC, None)
    timed: dict[Bench, None] = {}
    for track in TRACKS_SHOWN:
        for bench in rows.benches(track):
            shown = rows.by_bench(track, None)[bench]
            timed |= dict.fromkeys([bench])
            yield from _of_board(track, bench, rows, shown, codecs.get(bench, []))
    for bench in timed:
        yield from _complexity(bench, rows.results_of(bench))


def _of_board(
    track: Track, bench: Bench, everything: Rows, rows: Sequence[Row], codecs: Sequence[Row]
) -> Iterator[Drawn]:
    of = f"{TRACK_WORDS[track].tab}, {bench_title(bench)}"
    name = f"{track}-{digest(bench.label)}"
    ranked = ranked_rows(rows)
    numbers = [_numbers(row) for row in rows]

    def drawn(kind: str, about: str, draw: "Callable[[], Figure]") -> Drawn:
        return Drawn(entry=entry(kind, name, of, about), draw=draw, numbers=numbers)

    if track is not Track.CODEC and ranked:
        about = "Each system by its two means; the dotted lines join equal Overalls."
        yield drawn("plane", about, partial(plane_figure, track, ranked))
        about = "Press a name to show or hide it. Systems that lack a score are left out."
        yield drawn("radar", about, partial(radar_figure, track, ranked))
    if any(row.bits_per_pixel for row in rows):
        about = "Systems as points, one a mode; codecs as lines over their qualities."
        yield drawn("rate", about, partial(rate_figure, rows, codecs))
    sizes = _points((row, row.bits_per_pixel) for row in ranked)
    if sizes:
        about = "Mean bits per pixel over the board's modes against the Overall."
        yield drawn("size", about, partial(pareto_figure, sizes, "bits per pixel"))
    seconds = _points((row, row.decode_seconds) for row in ranked)
    if seconds:
        about = "Mean decoding seconds over the board's modes; compare rows of one device only."
        yield drawn("pareto", about, partial(pareto_figure, seconds, "seconds to decode"))
    money = _money(ranked, everything.results_of(bench))
    if money:
        about = (
            "What a picture cost: the run's wall time at its machine's price over its pictures, "
            "in the currency that the price was given in. What the cache held cost nothing."
        )
        yield drawn("money", about, partial(pareto_figure, money, "cost of a picture"))


def _points(costs: Iterable[tuple[Row, Mapping[Mode, float]]]) -> list[Point]:
    """Return a point for each row that has a cost, with its mean over the modes."""
    means = [(row, fmean(by_mode.values())) for row, by_mode in costs if by_mode]
    return [Point(row_name(row), mean, row.overall or 0.0) for row, mean in means if mean > 0]


def _money(rows: Sequence[Row], results: Sequence[Result]) -> list[Point]:
    costs = {
        result.request.request_id: result.run.cost / (result.images * len(result.request.modes))
        for result in results
        if result.run.cost and result.images
    }
    return [
        Point(row_name(row), costs[row.request_id], row.overall or 0.0)
        for row in rows
        if row.request_id in costs
    ]


def _numbers(row: Row) -> dict[str, Any]:
    return {
        "model": row.model,
        "partner": row.partner,
        "source": row.source,
        "overall": row.overall if not row.missing_modes else None,
        **row.indicators,
        **{f"{mode}_bpp": bpp for mode, bpp in row.bits_per_pixel.items()},
        **{f"{mode}_decode_s": seconds for mode, seconds in row.decode_seconds.items()},
    }


def _complexity(bench: Bench, results: Sequence[Result]) -> Iterator[Drawn]:
    """Yield table 6 with what was measured here."""
    numbers = []
    for result in results:
        request = result.request
        coder, painter = request.codec or request.i2t, request.t2i or request.codec
        for cost in () if is_control(request) else result.costs:
            for stage, system, seconds in (
                ("encode", coder, cost.encode_seconds),
                ("decode", painter, cost.decode_seconds),
            ):
                if system is not None and seconds > 0:
                    numbers.append(
                        {
                            "stage": stage,
                            "system": system.label,
                            "mode": str(cost.mode),
                            "seconds": seconds,
                            "device": result.provenance.device,
                        }
                    )
    if not numbers:
        return
    bars = _bars(numbers)
    more = f" The {MOST_BARS} fastest are drawn." if len(bars) > MOST_BARS else ""
    about = (
        "Mean seconds for a picture of its own size, on the machine that first made it; compare "
        f"rows of one device only.{more}"
    )
    yield Drawn(
        entry=entry("complexity", digest(bench.label), bench_title(bench), about),
        draw=partial(seconds_figure, "Seconds for a picture", bars[:MOST_BARS]),
        numbers=numbers,
    )


def _bars(numbers: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """Return the fastest first; of runs of one system in one mode and stage the mean."""
    grouped: dict[tuple[str, str], list[float]] = {}
    for line in numbers:
        name = f"{line['mode']}, {line['system']}"
        grouped.setdefault((line["stage"], name), []).append(line["seconds"])
    bars = [Bar(stage, name, fmean(seconds)) for (stage, name), seconds in grouped.items()]
    return sorted(bars, key=lambda bar: bar.value)
