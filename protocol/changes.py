"""What changed between two boards, row by row, and why as far as the records tell it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from protocol.change_reasons import OTHERS_MOVED, why_came, why_left, why_moved
from protocol.frozen import LIVE
from protocol.manifest import ManifestEntry, Milestone, by_request
from protocol.rules import Content, Track
from protocol.standings import Place, Side, standings


class Kind(StrEnum):
    """What happened to a row."""

    CAME = "came"
    LEFT = "left"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row that is not as it was; what is not known of it is None or empty."""

    kind: Kind
    model: str
    partner: str
    request_before: str
    request_after: str
    rank_before: int | None
    rank_after: int | None
    overall_before: float | None
    """None for a row that left: what was taken back keeps its place here and no score."""
    overall_after: float | None
    difference: float | None
    interval_before: tuple[float, ...]
    """Low and high; empty where it is not known."""
    interval_after: tuple[float, ...]
    why: str
    by: str
    """Who brought it or took it away; empty where the records do not say."""
    at: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChanges:
    """One table against another."""

    track: Track
    content: Content | None
    bench_before: str
    bench_after: str
    same: int
    """How many rows are as they were."""
    changes: tuple[Change, ...]
    """Those that came, left, moved, and moved only because others did; each best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardChanges:
    """One board against another, table by table; tables on which nothing changed are left out."""

    before: str
    after: str
    at_before: str
    at_after: str
    tables: tuple[TableChanges, ...]


def compare_boards(
    before: Side, after: Side, manifest: Sequence[ManifestEntry], tracks: Iterable[Track] = Track
) -> BoardChanges:
    """Return what changed from one board to a later one; of one with itself, bench against bench.

    Args:
        before: the earlier one.
        after: the later one; the same one compares its benches with each other.
        manifest: who brought and who took away each row; what came after a frozen board is no
            reason for what stands on it.
        tracks: the tables to compare.
    """
    known = manifest if after.name == LIVE else [entry.as_of(after.at) for entry in manifest]
    entries = by_request(known)
    pairs = _same_bench if before.name != after.name else _other_bench
    boards = [(track, content) for track in tracks for content in (None, *Content)]
    tables = (table for board in boards for table in _tables(before, after, board, pairs, entries))
    return BoardChanges(
        before=before.name,
        after=after.name,
        at_before=before.at,
        at_after=after.at,
        tables=tuple(tables),
    )


Line = dict[str, str | int | float | None]


def change_lines(changes: BoardChanges) -> list[Line]:
    """Return one line a row, by `change_columns`, for tables."""
    lines: list[Line] = []
    for table in changes.tables:
        values = (changes.before, changes.after, table.track, table.content or "all")
        benches = (table.bench_before, table.bench_after)
        shared = dict(zip(_SHARED, (*values, *benches), strict=True))
        lines += [{**shared, **_flat(change)} for change in table.changes]
    return lines


def change_columns() -> tuple[str, ...]:
    """Return the columns of `change_lines`."""
    return (*_SHARED, *(column for one in fields(Change) for column in _columns(one.name)))


_SHARED = ("before", "after", "track", "content", "bench_before", "bench_after")


def _columns(name: str) -> tuple[str, ...]:
    when = name.removeprefix("interval_")
    return (name,) if when == name else (f"low_{when}", f"high_{when}")


def _flat(change: Change) -> Line:
    flat: Line = {}
    for one in fields(change):
        value = getattr(change, one.name)
        values = (value or (None, None)) if isinstance(value, tuple) else (value,)
        flat |= dict(zip(_columns(one.name), values, strict=True))
    return flat


_Pairs = Callable[[Sequence[str], Sequence[str]], Iterator[tuple[str, str]]]


def _same_bench(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from ((bench, bench) for bench in dict.fromkeys([*before, *after]))


def _other_bench(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from ((one, other) for one in before for other in after if one != other)


def _tables(
    before: Side,
    after: Side,
    board: tuple[Track, Content | None],
    pairs: _Pairs,
    entries: Mapping[str, ManifestEntry],
) -> Iterator[TableChanges]:
    old, new = standings(before, *board), standings(after, *board)
    for one, other in pairs(list(old), list(new)):
        matched = list(_match(old.get(one, ()), new.get(other, ()), entries))
        if one != other and not any(a and b for a, b in matched):
            # Two benches without a system in common have nothing to tell each other.
            continue
        found = [_change(a, b, entries, other_bench=one != other) for a, b in matched]
        changes = [change for change in found if change is not None]
        if changes:
            order = list(Kind)
            yield TableChanges(
                track=board[0],
                content=board[1],
                bench_before=one,
                bench_after=other,
                same=len(found) - len(changes),
                changes=tuple(
                    sorted(changes, key=lambda c: (order.index(c.kind), c.why == OTHERS_MOVED))
                ),
            )


def _match(
    old: Sequence[Place], new: Sequence[Place], entries: Mapping[str, ManifestEntry]
) -> Iterator[tuple[Place | None, Place | None]]:
    """Yield rows with what became of them, in the order of the new ones, then those that left.

    The same request first; then its successor; then the same system at the same commit, and at
    another one where there is only one such row on either side.
    """
    left = list(old)
    found: dict[int, Place] = {}
    keys: tuple[tuple[Callable[[Place], str], Callable[[Place], str]], ...] = (
        (_request, _request),
        (lambda place: _successor(place, entries), _request),
        (lambda place: place.key, lambda place: place.key),
        (lambda place: place.unpinned, lambda place: place.unpinned),
    )
    for key_old, key_new in keys:
        open_new = [place for place in new if id(place) not in found]
        wanted = Counter(map(key_new, open_new))
        there = Counter(map(key_old, left))
        by_key = {key_old(place): place for place in left}
        for place in open_new:
            key = key_new(place)
            if key and wanted[key] == there[key] == 1:
                found[id(place)] = by_key[key]
        taken = {id(place) for place in found.values()}
        left = [place for place in left if id(place) not in taken]
    yield from ((found.get(id(place)), place) for place in new)
    yield from ((place, None) for place in left)


def _request(place: Place) -> str:
    return place.row.request_id or place.key


def _successor(place: Place, entries: Mapping[str, ManifestEntry]) -> str:
    entry = entries.get(place.row.request_id)
    return entry.successor if entry else ""


def _change(
    old: Place | None,
    new: Place | None,
    entries: Mapping[str, ManifestEntry],
    *,
    other_bench: bool,
) -> Change | None:
    """Return what became of a row; None where it is as it was."""
    why, milestone = "", None
    if old is None and new is not None:
        kind, (why, milestone) = Kind.CAME, why_came(new, entries, other_bench=other_bench)
    elif new is None and old is not None:
        kind, (why, milestone) = Kind.LEFT, why_left(old, entries, other_bench=other_bench)
    elif old is not None and new is not None:
        kind, (why, milestone) = Kind.MOVED, why_moved(old, new, entries)
    if not why:
        return None
    return _record(kind, old, new, why, milestone)


def _record(
    kind: Kind, old: Place | None, new: Place | None, why: str, milestone: Milestone | None
) -> Change:
    shown = new or old
    if shown is None:
        raise ValueError("a change is of a row")
    was = old.overall if old and new else None
    now = new.overall if new else None
    return Change(
        kind=kind,
        model=shown.row.model,
        partner=shown.row.partner,
        request_before=old.row.request_id if old else "",
        request_after=new.row.request_id if new else "",
        rank_before=old.rank if old else None,
        rank_after=new.rank if new else None,
        overall_before=was,
        overall_after=now,
        difference=now - was if now is not None and was is not None else None,
        interval_before=_bounds(old) if new else (),
        interval_after=_bounds(new),
        why=why,
        by=milestone.actor if milestone else "",
        at=milestone.at if milestone else "",
    )


def _bounds(place: Place | None) -> tuple[float, ...]:
    if place is None or place.interval is None:
        return ()
    return place.interval.low, place.interval.high
