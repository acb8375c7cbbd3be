"""Figures of the rows of a board, one set a bench."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

from protocol.boards import Bench, Row
from protocol.controls import is_control
from protocol.ranks import ranked_rows
from protocol.records import Result
from protocol.rules import Dimension, Mode, Role, Track
from space.bjontegaard import bd_figures
from space.drawings.labels import MOST_NAMED
from space.drawings.pareto import Point, pareto_figure
from space.drawings.plane import plane_figure
from space.drawings.radar import MOST, radar_figure
from space.drawings.rate import Panel, rate_figure
from space.drawings.style import row_names
from space.drawings.tables import Bar, seconds_figure
from space.figure_entry import Drawn, Numbers, digest, entry
from space.rows import Rows
from space.secondary import Secondary
from space.table import TRACKS_SHOWN, bench_title
from space.words import TRACK_WORDS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 40
SIZE = "Mean bits per pixel over the board's modes against the Overall."
SECONDS = "Mean decoding seconds over the board's modes; compare rows of one device only."
MONEY = (
    "What a picture cost: the run's wall time at its machine's price over its pictures, in the "
    "currency that the price was given in. What the cache held cost nothing."
)


def board_figures(rows: Rows) -> Iterator[Drawn]:
    """Yield the figures of all boards."""
    codecs = rows.by_bench(Track.CODEC, None)
    timed: dict[Bench, None] = {}
    for track in TRACKS_SHOWN:
        for bench in rows.benches(track):
            shown = rows.by_bench(track, None)[bench]
            timed |= dict.fromkeys([bench])
            yield from _of_board(track, bench, rows, shown, codecs.get(bench, []))
            yield from _further(track, bench, rows, shown, codecs.get(bench, []))
    for bench in rows.benches(Track.CODEC):
        yield from bd_figures(bench, bench_title(bench), rows.results_of(bench))
    for bench in timed:
        yield from _complexity(bench, rows.results_of(bench))


def _of_board(
    track: Track, bench: Bench, everything: Rows, rows: Sequence[Row], codecs: Sequence[Row]
) -> Iterator[Drawn]:
    of = f"{TRACK_WORDS[track].tab}, {bench_title(bench)}"
    name = f"{track}-{digest(bench.label)}"
    ranked = ranked_rows(rows)

    def drawn(kind: str, about: str, draw: "Callable[[], Figure]", numbers: Numbers) -> Drawn:
        return Drawn(entry=entry(kind, name, of, about), draw=draw, numbers=numbers)

    if track is not Track.CODEC and ranked:
        about = "Each system by its two means; the dotted lines join equal Overalls."
        about += _unnamed(len(ranked))
        means = [
            _numbers(row, {f"mean_{d}": row.dimensions[d] for d in Dimension}) for row in ranked
        ]
        yield drawn("plane", about, partial(plane_figure, track, ranked), means)
        about = "Press a name to show or hide it. Systems that lack a score are left out."
        about += f" At most the {MOST} best are drawn." if len(ranked) > MOST else ""
        numbers = [_numbers(row) for row in rows]
        yield drawn("radar", about, partial(radar_figure, track, ranked), numbers)
    if any(row.bits_per_pixel for row in rows):
        about = "Systems as points, one a mode; codecs as lines over their qualities."
        about += "" if track is Track.CODEC else _unnamed(len(rows))
        numbers = [_numbers(row) for row in rows]
        if track is not Track.CODEC:
            # Their Overall is another board's.
            numbers += [_numbers(row) | {"overall": None} for row in codecs]
        yield drawn("rate", about, partial(rate_figure, rows, codecs), numbers)
    for kind, axis, about, costs in (
        ("size", "bits per pixel", SIZE, _means(row.bits_per_pixel for row in ranked)),
        ("pareto", "seconds to decode", SECONDS, _means(row.decode_seconds for row in ranked)),
        ("money", "cost of a picture", MONEY, _money(ranked, everything.results_of(bench))),
    ):
        known = [(row, cost) for row, cost in zip(ranked, costs, strict=True) if cost]
        if known:
            names = row_names([row for row, _ in known])
            points = [
                Point(name, cost, row.overall or 0.0)
                for name, (row, cost) in zip(names, known, strict=True)
            ]
            yield Drawn(
                entry=entry(kind, name, of, about + _unnamed(len(points))),
                draw=partial(pareto_figure, points, axis),
                numbers=[_numbers(row, {axis: cost}) for row, cost in known],
            )


def _further(
    track: Track, bench: Bench, everything: Rows, rows: Sequence[Row], codecs: Sequence[Row]
) -> Iterator[Drawn]:
    """Yield the rates against the indicators that nothing is ranked by, where rows have them."""
    known = {id(row): _secondary_means(everything.secondary, row) for row in (*rows, *codecs)}
    systems = [row for row in rows if row.role != Role.CODEC and known[id(row)]]
    lines = [row for row in codecs if known[id(row)]]
    if not (lines if track is Track.CODEC else systems):
        return
    names = sorted({name for row in (*systems, *lines) for _, name in known[id(row)]})

    def panel(name: str) -> Panel:
        return Panel(name, lambda row, mode: known[id(row)].get((mode, name)))

    about = (
        "Indicators that nothing is ranked by, as `cmc rescore` scored the same pictures; higher "
        "is better in every panel, distances are turned. As in the paper's figures 7 and A10."
    )
    yield Drawn(
        entry=entry(
            "rate",
            f"further-{track}-{digest(bench.label)}",
            f"Further indicators, {TRACK_WORDS[track].tab}, {bench_title(bench)}",
            about,
        ),
        draw=partial(rate_figure, systems, lines, [panel(name) for name in names]),
        numbers=[
            {"model": row.model, "partner": row.partner, "source": row.source}
            | {f"{mode}_bpp": bpp for mode, bpp in row.bits_per_pixel.items()}
            | {f"{mode}_{name}": mean for (mode, name), mean in known[id(row)].items()}
            for row in (*systems, *lines)
        ],
    )


def _secondary_means(found: Secondary, row: Row) -> dict[tuple[Mode, str], float]:
    """Return the means over all contents in the modes of the row's board."""
    return {
        (score.mode, name): score.mean
        for name, scores in found.get(row.request_id, {}).items()
        for score in scores
        if score.mode in row.bits_per_pixel and score.content is None and score.mean is not None
    }


def _unnamed(points: int) -> str:
    few = f" {MOST_NAMED} are named, the pointer names the rest."
    return few if points > MOST_NAMED else ""


def _means(costs: Iterable[Mapping[Mode, float]]) -> list[float]:
    """Return each row's mean over the modes; 0 where it has no cost."""
    return [fmean(by_mode.values()) if by_mode else 0.0 for by_mode in costs]


def _money(rows: Sequence[Row], results: Sequence[Result]) -> list[float]:
    costs = {
        result.request.request_id: result.run.cost / (result.images * len(result.request.modes))
        for result in results
        if result.run.cost and result.images
    }
    return [costs.get(row.request_id, 0.0) for row in rows]


def _numbers(row: Row, drawn: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Return what is known of a row, with what the figure is drawn of before the rest."""
    return {
        "model": row.model,
        "partner": row.partner,
        "source": row.source,
        "overall": row.overall if not row.missing_modes else None,
        **(drawn or {}),
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
