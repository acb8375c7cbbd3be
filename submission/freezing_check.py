"""Do frozen boards still hold: is each what the ledger said at its line, and is all of it there?"""

from collections.abc import Iterator, Mapping

from protocol.errors import CMCError
from protocol.evidence import current_evidence
from protocol.frozen import Frozen
from protocol.jsonable import from_json
from protocol.published import published_sha256
from protocol.states import Status
from protocol.statistics.files import is_current
from submission.filed import files_of
from submission.freezing import ROOM, frozen_path, read_frozen
from submission.ledger import Book, Ledger
from submission.store import Store


def frozen_problems(store: Store) -> tuple[int, list[str]]:
    """Return how many boards are frozen, and a sentence for each thing that is not as it was."""
    store.beside.revision()
    paths = [path for path in store.beside.lists() if path.startswith(ROOM)]
    found: dict[str, Frozen] = {}
    problems: list[str] = []
    for path in paths:
        try:
            found[path] = from_json(Frozen, store.beside.read(path) or b"")
        except CMCError as error:
            problems.append(f"{path}: {error}")
    books = _finished_at(store.ledger, {frozen.ledger_lines for frozen in found.values()})
    for path, frozen in found.items():
        problems.extend(f"{path}: {problem}" for problem in _problems(store, path, frozen, books))
    return len(paths), problems


def _problems(
    store: Store, path: str, frozen: Frozen, books: "Mapping[int, tuple[str, dict[str, str]]]"
) -> Iterator[str]:
    if path != frozen_path(frozen.label):
        yield f"it is called {frozen.label}"
        return
    sha256, files = books.get(frozen.ledger_lines, ("", {}))
    if sha256 != frozen.ledger_sha256:
        yield f"line {frozen.ledger_lines} of the ledger is not the one that it names"
    elif files != frozen.files:
        yield f"its rows are not those that stood at line {frozen.ledger_lines} of the ledger"
    try:
        board = read_frozen(store, frozen.label)
    except CMCError as error:
        yield str(error)
        return
    stale = [s.bench for s in frozen.statistics if not is_current(s, board.results)]
    yield from (f"its statistics of {bench} are about other scores" for bench in stale)
    if len(current_evidence(board.evidence, board.results).effects) != len(frozen.effects):
        yield "its effects of pairs are about other scores"
    if frozen.published_sha256 != published_sha256():
        yield "it stood beside other published tables than this version has"


def _finished_at(ledger: Ledger, numbers: set[int]) -> dict[int, tuple[str, dict[str, str]]]:
    """Return what the ledger said after some of its lines: their sha256, and the rows' files."""
    book, found = Book(), {}
    for line in ledger.lines():
        book.apply(line)
        if book.number in numbers:
            states = book.with_status(Status.FINISHED)
            found[book.number] = (book.sha256, files_of(states))
    return found
