"""The lines of a table: what of a row is shown, and in which place it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.boards import Row
from protocol.ranks import ranks
from space.columns import fact_values
from space.flags import Flag, Flags
from space.verdict import Value
from space.words import listed

Extras = Mapping[int, Mapping[str, Value]]
"""Further values by a row's id and by column key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row as it is shown."""

    rank: int | None
    """Equal Overalls share a rank; None for a row that lacks what the others have."""
    model: str
    lacks: str
    """`lacks text`, or empty."""
    flags: tuple[Flag, ...]
    """What to know before believing the row's score."""
    source: str
    values: Mapping[str, Value]
    """By column key; what is missing is absent."""


def table_lines(
    rows: Sequence[Row], ranked: Sequence[Row], flags: Flags, extras: Sequence[Extras]
) -> tuple[Line, ...]:
    """Return the lines, the ranked ones first and best first.

    Args:
        rows: all of the table.
        ranked: those of them that have a rank, best first.
        flags: by request id.
        extras: what was found out about rows of the table beside their scores.
    """
    places = {id(row): rank for row, rank in zip(ranked, ranks(ranked), strict=True)}
    others = [row for row in rows if id(row) not in places]
    return tuple(
        _line(
            row,
            places.get(id(row)),
            {key: value for one in extras for key, value in one.get(id(row), {}).items()},
            flags.get(row.request_id, ()),
        )
        for row in [*ranked, *others]
    )


def _line(row: Row, rank: int | None, extra: Mapping[str, Value], flags: tuple[Flag, ...]) -> Line:
    values: dict[str, Value] = {**row.indicators}
    values |= {f"{mode}_rate": bpp for mode, bpp in row.bits_per_pixel.items()}
    values |= {f"{mode}_ratio": 24 / bpp for mode, bpp in row.bits_per_pixel.items() if bpp}
    for mode, parts in row.part_bits.items():
        values |= {f"{mode}_{part}_bits": bits for part, bits in parts.items() if bits}
    for action, times in (("encode", row.encode_seconds), ("decode", row.decode_seconds)):
        values |= {f"{mode}_{action}_seconds": time for mode, time in times.items()}
    # An Overall over fewer modes than its neighbours' would read as comparable in their column.
    if rank is not None and row.overall is not None:
        values["overall"] = row.overall
        values |= {f"mean_{dim}": mean for dim, mean in row.dimensions.items()}
    values |= extra
    values |= {key: fact for key, fact in fact_values(row).items() if fact not in ("", None)}
    return Line(
        rank=rank,
        model=row.model,
        source=row.source,
        lacks=f"lacks {listed(row.missing_modes)}" if row.missing_modes and rank is None else "",
        flags=flags,
        values=values,
    )
