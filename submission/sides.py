"""The boards of a store that can be compared: the live one, and each that was frozen."""

from protocol.frozen import LIVE
from protocol.standings import Side
from protocol.statistics.files import is_current
from submission.clock import now
from submission.evidence import read_statistics
from submission.freezing import FrozenBoard, list_frozen, read_frozen
from submission.store import Store


def read_side(store: Store, name: str) -> Side:
    """Return a board by its name, `live` or a frozen board's label.

    Raises:
        StoreError: there is none of this name.
    """
    return live_side(store) if name == LIVE else frozen_side(read_frozen(store, name))


def live_side(store: Store) -> Side:
    """Return the board as it stands."""
    results = store.results()
    return Side(
        name=LIVE,
        at=now(),
        results=results,
        statistics=[s for s in read_statistics(store.beside) if is_current(s, results)],
    )


def frozen_side(board: FrozenBoard) -> Side:
    """Return a frozen board."""
    return Side(
        name=board.entry.label,
        at=board.entry.frozen_at,
        results=board.results,
        statistics=board.frozen.statistics,
    )


def in_order(store: Store, first: str, second: str) -> tuple[str, str]:
    """Return two names with the earlier board first; the live one is the latest."""
    labels = [entry.label for entry in list_frozen(store.beside).values()]
    place = {label: number for number, label in enumerate([*labels, LIVE])}
    later = place.get(first, 0) > place.get(second, 0)
    return (second, first) if later else (first, second)
