"""Tables 3 to 6 of the paper with a store's results beside what was printed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from protocol.boards import Row, published_rows, result_rows
from protocol.controls import is_control
from protocol.eligibility import may_be_ranked
from protocol.errors import InputError
from protocol.families import of_own_family
from protocol.published import (
    PUBLISHED_CAPTIONER,
    PUBLISHED_PAINTER,
    read_table,
    table_rows,
)
from protocol.records import Result
from protocol.rules import TRACKS, Content, Dimension, Mode, Role, Track
from protocol.samples import Sample

TRACK_OF_TABLE: Mapping[str, Track] = {"3": Track.T2I_ULB, "4": Track.T2I_ELB, "5": Track.I2T}
TABLES = (*TRACK_OF_TABLE, "6")
_PRINTED_MODES: Mapping[Track, tuple[Mode, ...]] = {Track.I2T: (Mode.FULL, Mode.PIXEL)}
"""Table 5 prints no text mode, although its Overall counts it."""
_NOTES: Mapping[Track, tuple[str, ...]] = {
    Track.I2T: ("The Overall counts text mode too, whose scores by content are not printed.",)
}
_PAPERS_PARTNERS: Mapping[str, str] = {
    Role.T2I: PUBLISHED_CAPTIONER,
    Role.I2T: PUBLISHED_PAINTER,
}
_NOT_ON_ITS_GPU = ("GPT-4o", "VVC")
"""A service and a program; the paper names the GPU for I2T and T2I inference (P 4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTable:
    """A table with heads and rows of text."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def paper_table(
    number: str, results: Sequence[Result], samples: Sequence[Sample] = ()
) -> PaperTable:
    """Return one of tables 3 to 6: measured rows, best first, then the printed ones.

    Args:
        number: of the table.
        results: a store's.
        samples: the pictures, to name those that a decoder's own family made.

    Raises:
        InputError: there is no such table here.
    """
    if number == "6":
        return _complexity(results)
    if number not in TRACK_OF_TABLE:
        raise InputError(
            f"no table {number}; there are {', '.join(TABLES)}; table 2 is "
            "`cmc indicators correlate`, table A1 `cmc ablate reference-qp`"
        )
    track = TRACK_OF_TABLE[number]
    modes = _PRINTED_MODES.get(track, TRACKS[track].modes)
    cells = [(m, d, c) for m in modes for d in Dimension for c in Content]
    ranked = [result for result in results if may_be_ranked(result)]
    rows = [
        *_rows(result_rows(ranked, track, None), cells, ranked, track),
        *_rows(published_rows(track, None), cells, ranked, track),
    ]
    return PaperTable(
        title=f"Table {number}: {track}",
        heads=(
            *("model", "partner", "source"),
            *(f"{mode}-{dimension} {content}" for mode, dimension, content in cells),
            *("overall", "protocol, pictures and indicators"),
        ),
        rows=tuple(rows),
        notes=(*_NOTES.get(track, ()), *_family_notes(ranked, samples)),
    )


def _rows(
    rows: Iterable[Row],
    cells: Sequence[tuple[Mode, Dimension, Content]],
    results: Sequence[Result],
    track: Track,
) -> list[tuple[str, ...]]:
    by_content = {
        content: {
            (row.source, row.model, row.request_id): row.scores
            for row in (
                *result_rows(results, track, content),
                *published_rows(track, content),
            )
        }
        for content in Content
    }
    printed = {row.model: row.overall for row in table_rows(track, None)}
    lines = []
    for row in rows:
        overall = printed.get(row.model) if row.source == "published" else row.overall
        key = (row.source, row.model, row.request_id)
        scores = [by_content[c].get(key, {}).get((m, d)) for m, d, c in cells]
        partner = _PAPERS_PARTNERS[row.role] if row.source == "published" else row.partner
        lines.append(
            (
                *(row.model, partner, row.source),
                *(_number(score) for score in scores),
                *(_number(overall), row.bench.label),
            )
        )
    return lines


def _complexity(results: Sequence[Result]) -> PaperTable:
    rows = [
        # One pair may stand in two rows, whose pictures and seconds the cache gave to both.
        *dict.fromkeys(_seconds(results)),
        *(
            (
                *("paper", f"{row['stage']} of 1024x1024", row["system"], "-"),
                *(row["seconds"], "-" if row["system"] in _NOT_ON_ITS_GPU else "RTX 4090"),
            )
            for row in read_table("complexity_seconds")
        ),
    ]
    return PaperTable(
        title="Table 6: seconds a picture",
        heads=("source", "what", "system", "partner", "seconds", "machine"),
        rows=tuple(rows),
        notes=(
            (
                "Measured rows are means over all pictures of a mode, at the pictures' own sizes, "
                "on the machine that first made them."
            ),
            "The paper's table heads VVC twice; its text gives VVC at QP 41, slow to encode.",
        ),
    )


def _seconds(results: Sequence[Result]) -> Iterable[tuple[str, ...]]:
    for result in results:
        request = result.request
        if is_control(request):
            continue
        for cost in result.costs:
            coder, painter = request.codec or request.i2t, request.t2i or request.codec
            stages = (
                ("encode", coder, painter, cost.encode_seconds),
                ("decode", painter, coder, cost.decode_seconds),
            )
            for stage, system, other, seconds in stages:
                if system is not None:
                    partner = other.label if other and other != system else "-"
                    yield (
                        *("measured", f"{stage}, {cost.mode} mode", system.label, partner),
                        *(f"{seconds:.2f}", result.provenance.device),
                    )


def _family_notes(results: Sequence[Result], samples: Sequence[Sample]) -> Iterable[str]:
    for result in results:
        own = of_own_family(result.request.t2i, samples)
        if own:
            yield (
                f"{result.request.label}: {len(own)} of the AI-generated pictures were made by the "
                "decoder's own family"
            )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
