"""Walk a ledger from its first line: is every line the next one, every change one that may be?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.errors import CMCError, RecordError
from protocol.jsonable import from_json, to_plain
from protocol.records import Request, Result
from protocol.states import Action, Entry, Event, State, Status
from submission.ledger import Book, Ledger
from submission.queue import request_path, result_path
from submission.transitions import TRANSITIONS

_BY_HOLDER = frozenset({Action.RENEW, Action.RELEASE, Action.RETRY, Action.FINISH, Action.FAIL})


@dataclass(frozen=True, slots=True)
class Checked:
    """What a walk found."""

    book: Book
    problems: list[str] = field(default_factory=list)
    """A sentence each, beginning with the file or the line."""
    leftovers: list[str] = field(default_factory=list)
    """Result files of claims that were lost before the ledger had them; they count for nothing."""


def check_ledger(ledger: Ledger, witness: str = "") -> Checked:
    """Check a store's ledger and every file that it names.

    Args:
        ledger: what is checked.
        witness: the newest line's sha256 as somebody noted it earlier: whoever cuts that line off
            cannot make another one with it.
    """
    checked = Checked(Book())
    is_met = not witness
    files: dict[str, str] = {}
    claims: set[str] = set()
    for line in ledger.lines():
        number = checked.book.number + 1
        try:
            entry = from_json(Entry, line)
            for event in entry.events:
                old = checked.book.state(event.state.request_id)
                found = _event_problems(event, old)
                checked.problems.extend(f"line {number}: {problem}" for problem in found)
                if event.action is Action.CLAIM:
                    claims.add(result_path(event.state).removesuffix(".json"))
                # Several events of one entry may be about one request.
                checked.book.states[event.state.request_id] = to_plain(event.state)
            checked.book.apply(line)
        except CMCError as error:
            # Of what the book says, the line is a part.
            where = f"line {number} of the ledger: " if isinstance(error, RecordError) else ""
            checked.problems.append(f"{where}{error}")
            return checked
        files |= entry.files
        is_met = is_met or checked.book.sha256 == witness
    if not is_met:
        checked.problems.append(
            f"line {witness}: noted elsewhere and not in the ledger; lines were cut off or changed"
        )
    _check_files(checked, files, ledger.digests(), claims)
    _check_requests(checked, files)
    return checked


def _event_problems(event: Event, old: State | None) -> list[str]:
    new, problems = event.state, []
    status, version = (old.status, old.version) if old else (None, 0)
    where = f"request {new.request_id}: {event.action}"
    row = TRANSITIONS.get((status, event.action))
    if row is None or row.to is not new.status:
        problems.append(f"{where} leads from {status or 'nothing'} to {new.status}; no rule does")
    if new.version != version + 1:
        problems.append(f"{where} has version {new.version} after {version}")
    if event.action is Action.SUBMIT and old is None:
        found = event.request.request_id if event.request else "no request"
        if found != new.request_id:
            problems.append(f"{where} came with {found}")
    problems.extend(f"{where} {problem}" for problem in _lease_problems(event, old))
    return problems


def _lease_problems(event: Event, old: State | None) -> list[str]:
    said, held = event.state.lease, old.lease if old else None
    if event.action is Action.CLAIM and (said is None or said.token != event.state.version):
        return [f"has token {said and said.token}, wanted {event.state.version}"]
    if event.action not in _BY_HOLDER:
        return []
    if held is None or said is None or (held.nonce, held.token) != (said.nonce, said.token):
        return ["was not written under the lease that was held"]
    if event.action is Action.FINISH and event.state.updated_at >= held.expires_at:
        return [f"was written at {event.state.updated_at}, after the lease had ended"]
    return []


def _check_files(
    checked: Checked, wanted: Mapping[str, str], found: Mapping[str, str], claims: set[str]
) -> None:
    for path, sha256 in sorted(wanted.items()):
        if path not in found:
            checked.problems.append(f"{path}: removed; the ledger has it")
        elif found[path] != sha256:
            checked.problems.append(f"{path}: changed outside the ledger")
    for path in sorted(found.keys() - wanted.keys()):
        if path.rpartition(".")[0] in claims or path.startswith("audits/"):
            checked.leftovers.append(path)
        else:
            checked.problems.append(f"{path}: added outside the ledger")


def _check_requests(checked: Checked, files: Mapping[str, str]) -> None:
    for request_id, state in checked.book.states.items():
        if request_path(request_id) not in files:
            checked.problems.append(f"request {request_id}: it came without its file")
        if state["status"] == Status.FINISHED:
            missing = {p for p, sha in state["files"].items() if files.get(p) != sha}
            checked.problems.extend(
                f"{path}: the ledger has it with two hashes" for path in missing
            )


def result_problems(request: Request, result: Result) -> list[str]:
    """Return what a result says otherwise than its request."""
    if result.request != request:
        return [f"request {request.request_id}: its result is about another request"]
    return []
