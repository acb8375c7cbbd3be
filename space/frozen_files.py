"""The files about time: frozen boards, what changed between boards, what became of every row.

data/snapshots.json              the boards that were frozen
data/as-of/<label>/…             their files, with `~` for the `/` of a label
data/changes/<from>..<to>.json   what changed; `live` is the board that goes on changing
data/manifest.json               what became of every row that was asked for
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import combinations_with_replacement

from protocol.changes import BoardChanges, change_columns, change_lines, compare_boards
from protocol.errors import CMCError
from protocol.frozen import LIVE, FrozenEntry, slug_of
from protocol.manifest import COLUMNS, ManifestEntry, manifest_lines
from protocol.standings import Side
from space.board_files import Make, citation_makers, record_makers, table_makers
from space.flags import removal_flags
from space.formats import lines_to_csv
from space.plain import plain_json
from space.rows import Rows
from space.snapshot import Snapshot, Source
from space.table import TRACKS_SHOWN

MANIFEST = ("data/manifest.json", "data/manifest.csv")
"""Made whenever somebody asks: a request that has no row yet changes no board."""

Rooms = Mapping[str, Callable[[], Mapping[str, Make]]]


def time_makers(snapshot: Snapshot, source: Source) -> dict[str, Make]:
    """Return the list of frozen boards and the manifest."""
    return {
        "data/snapshots.json": lambda: plain_json(snapshot.frozen),
        MANIFEST[0]: lambda: plain_json(_newest_manifest(snapshot, source)),
        MANIFEST[1]: lambda: lines_to_csv(
            manifest_lines(_newest_manifest(snapshot, source)), COLUMNS
        ),
    }


def time_rooms(snapshot: Snapshot, source: Source) -> Rooms:
    """Return the rooms of the frozen boards and of the changes; a board is read when asked for."""
    read = cache(source.as_of)
    rooms = {
        f"data/as-of/{entry.slug}/": partial(_frozen_makers, snapshot, entry, read)
        for entry in snapshot.frozen
    }
    return {**rooms, "data/changes/": lambda: _changes_makers(snapshot, read)}


def _newest_manifest(snapshot: Snapshot, source: Source) -> tuple[ManifestEntry, ...]:
    try:
        return tuple(source.manifest())
    except (CMCError, OSError):
        return snapshot.manifest


def _frozen_makers(
    snapshot: Snapshot, entry: FrozenEntry, read: Callable[[str], Snapshot]
) -> dict[str, Make]:
    board = read(entry.label)
    stem = f"data/as-of/{entry.slug}"
    rows = Rows.of(board, removal_flags(snapshot.manifest, board.read_at))
    return {
        **table_makers(stem, board, rows),
        **record_makers(stem, board),
        **citation_makers(stem, board, entry),
    }


def _changes_makers(snapshot: Snapshot, read: Callable[[str], Snapshot]) -> dict[str, Make]:
    @cache
    def side(name: str) -> Side:
        board = snapshot if name == LIVE else read(name)
        return Side(name=name, at=board.read_at, results=board.results, statistics=board.statistics)

    @cache
    def changes(before: str, after: str) -> BoardChanges:
        return compare_boards(side(before), side(after), snapshot.manifest, TRACKS_SHOWN)

    makers: dict[str, Make] = {}
    names = [*(entry.label for entry in snapshot.frozen), LIVE]
    for pair in combinations_with_replacement(names, 2):
        stem = f"data/changes/{'..'.join(map(slug_of, pair))}"
        makers[f"{stem}.json"] = partial(_changes_json, changes, *pair)
        makers[f"{stem}.csv"] = partial(_changes_csv, changes, *pair)
    return makers


def _changes_json(changes: Callable[[str, str], BoardChanges], before: str, after: str) -> bytes:
    return plain_json(changes(before, after))


def _changes_csv(changes: Callable[[str, str], BoardChanges], before: str, after: str) -> bytes:
    return lines_to_csv(change_lines(changes(before, after)), change_columns())
