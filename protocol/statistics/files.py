"""Where the statistics of boards lie beside a store's results, for pages that never compute.

statistics/<track>_<content>_<12 hex digits of the bench's label>.json
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from protocol.boards import bench_of
from protocol.eligibility import may_be_ranked
from protocol.files import write_whole
from protocol.jsonable import to_json
from protocol.records import Result
from protocol.rules import TRACKS, Role
from protocol.statistics.records import BoardStatistics, PairEffects


def write_statistics(store: Path, statistics: BoardStatistics) -> Path:
    """Write the statistics of one board and return where they lie."""
    digest = hashlib.sha256(statistics.bench.encode()).hexdigest()[:12]
    name = f"{statistics.track}_{statistics.content or 'all'}_{digest}.json"
    path = store / "statistics" / name
    write_whole(path, to_json(statistics).encode())
    return path


def is_current(statistics: BoardStatistics, results: Iterable[Result]) -> bool:
    """Say whether statistics were made from exactly these results' rows of their board.

    Ranks and groups speak of all rows together: with one row more or fewer they are others, and so
    they are when an audit takes a row its rank.
    """
    rule = TRACKS[statistics.track]
    on_board = [
        result
        for result in results
        if bench_of(result).label == statistics.bench
        and result.request.role is rule.role
        and set(rule.modes) & set(result.request.modes)
    ]
    contradicted = {r.request.request_id for r in on_board if r.is_contradicted}
    if any(row.overall is not None and row.request_id in contradicted for row in statistics.rows):
        return False
    made = {row.request_id: row.per_image_sha256 for row in statistics.rows}
    return made_from(on_board) == made


def made_from(results: Iterable[Result]) -> dict[str, str]:
    """Return the sha256 of the results' per-image scores, by request id."""
    return {result.request.request_id: result.per_image_sha256 for result in results}


def effects_are_current(effects: PairEffects, results: Iterable[Result]) -> bool:
    """Say whether effects were made from exactly the pairs of their table among these results."""
    return effects.made_from == made_from(
        result
        for result in results
        if bench_of(result).label == effects.bench
        and result.request.role is not Role.CODEC
        and may_be_ranked(result)
    )
