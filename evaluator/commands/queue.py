"""Show the requests of a store, or one's log or history; or change where one stands."""

import argparse
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, add_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocol.states import State
    from submission.identity import Account
    from submission.store import QueueEntry, Store

HELP = "show requests and their states"
ENDED_SHOWN = 20
LOOK_SECONDS = 1.0
LOOK_AT_HUB_SECONDS = 30.0
"""Between two looks at a log that is followed; a worker on the Hub tells it when it renews."""
LINE_SHOWN = 300
TEXT_SHOWN = 1000
"""Characters of a reason or a message; what is printed may be a stranger's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--all", action="store_true", help="also those that ended long ago")
    parser.add_argument("--follow", action="store_true", help="with --log: until it has ended")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--history", metavar="ID", help="tell all that happened to one request")
    one.add_argument("--log", metavar="ID", help="the last lines of a running request's log")
    one.add_argument(
        "--withdraw", metavar="ID", help="take a request of yours back; a maintainer, anybody's"
    )
    one.add_argument(
        "--prioritise",
        nargs=2,
        metavar=("ID", "N"),
        help="for maintainers: a waiting request's priority; 0 is usual, the highest runs first",
    )
    one.add_argument(
        "--supersede",
        nargs=2,
        metavar=("OLD", "NEW"),
        help="let a finished request of yours take another's place; withdrawn, it gives it back",
    )
    parser.add_argument(
        "--reason", default="", help="with --withdraw: why it is withdrawn, for everybody"
    )
    add_store(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print one line a request: the running, the waiting as they will be run, then the ended."""
    import json

    from protocol.jsonable import to_plain
    from submission.store import open_store

    _require_used(options)
    store = open_store(options.store)
    if options.withdraw or options.supersede or options.prioritise:
        return _change(store, options)
    if options.history:
        return _tell(store, options)
    if options.log:
        return _log(store, options)
    entries = store.queue()
    if options.json:
        print(json.dumps([to_plain({**e._asdict(), "label": e.request.label}) for e in entries]))
        return 0
    if not entries:
        print(f"{options.store} holds no request; `cmc submit` makes one")
    hidden = _show(entries, most=len(entries) if options.all else ENDED_SHOWN)
    if hidden:
        print(f"… and {hidden} that ended earlier; --all shows them")
    return 0


def _require_used(options: argparse.Namespace) -> None:
    """Refuse an option that would decide nothing."""
    from protocol.errors import InputError

    if options.follow and not options.log:
        raise InputError("--follow is about --log ID")
    if options.reason and not options.withdraw:
        raise InputError("--reason is about --withdraw ID")


def _show(entries: "list[QueueEntry]", most: int) -> int:
    """Print the open requests and as many of the ended ones; return how many are left out."""
    from protocol.states import OPEN
    from submission.wording import shown

    ended = 0
    for entry in entries:
        ended += entry.state.status not in OPEN
        if ended > most:
            continue
        request = entry.request
        pair = f"{request.label} + {request.partner}" if request.partner else request.label
        print(
            f"{request.request_id}  {entry.state.status:<10}  {request.role:<5}  "
            f"{','.join(request.modes):<21}  {shown(pair, TEXT_SHOWN)}  {_detail(entry)}".rstrip()
        )
    return max(0, ended - most)


def _detail(entry: "QueueEntry") -> str:
    """Return where a request stands in its state, fit to be printed."""
    from protocol.states import Status
    from submission.wording import shown

    state, progress = entry.state, shown(entry.progress, TEXT_SHOWN)
    if state.status is Status.PENDING and entry.position is None:
        return progress
    if state.status is Status.PENDING:
        wait = f", about {_duration(entry.wait_seconds)}" if entry.wait_seconds else ""
        tried = f", attempt {state.attempt + 1}" if state.attempt else ""
        return f"number {entry.position} in the queue{wait}{tried}"
    if state.status in (Status.RUNNING, Status.FINISHED):
        return progress
    failure = state.failure
    if state.status is Status.FAILED and failure:
        stage, message = shown(failure.stage), shown(failure.message, TEXT_SHOWN)
        return f"{failure.code} in {stage}: {message}"
    return f"by {state.successor}" if state.successor else ""


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _change(store: "Store", options: argparse.Namespace) -> int:
    import json

    from protocol.jsonable import to_plain
    from protocol.states import Status
    from submission.identity import account_for, require_maintainer

    account = account_for(options.store)
    displaced = _displaced_by(store, options.withdraw)
    if options.withdraw:
        state = _withdraw(store, account, options)
    elif options.supersede:
        old, new = options.supersede
        state = store.supersede(old, new, account.name)
    else:
        require_maintainer(account, options.store)
        request_id, priority = options.prioritise
        state = store.prioritise(request_id, _whole(priority), account.name)
    print(json.dumps(to_plain(state)) if options.json else f"{state.request_id} is {state.status}")
    for request_id in displaced:
        if not options.json and store.state(request_id).status is Status.FINISHED:
            print(f"{request_id}, whose place it had taken, stands again")
    return 0


def _displaced_by(store: "Store", request_id: str | None) -> list[str]:
    """Return the requests whose place one took."""
    from protocol.states import Status

    superseded = store.ledger.refresh().with_status(Status.SUPERSEDED)
    return [state.request_id for state in superseded if state.successor == request_id]


def _withdraw(store: "Store", account: "Account", options: argparse.Namespace) -> "State":
    """Withdraw one's own request, or as a maintainer somebody's, whom the reason is owed to."""
    from protocol.errors import InputError
    from submission.identity import require_maintainer
    from submission.intake import require_accepted
    from submission.wording import check_reason

    request = store.request(options.withdraw)
    require_accepted(check_reason(options.reason))
    if request.submitter == account.name:
        return store.withdraw(request.request_id, account.name, options.reason or "withdrawn")
    require_maintainer(account, options.store)
    if not options.reason:
        raise InputError(f"{request.request_id} is {request.submitter}'s: say why with --reason")
    return store.remove(request.request_id, account.name, options.reason)


def _whole(text: str) -> int:
    from protocol.errors import InputError

    try:
        return int(text)
    except ValueError:
        raise InputError(f"--prioritise: {text!r} is no priority; wanted a whole number") from None


def _tell(store: "Store", options: argparse.Namespace) -> int:
    import json

    from protocol.jsonable import to_plain
    from submission.wording import shown

    request = store.request(options.history)
    events = store.events(request.request_id)
    if options.json:
        print(json.dumps(to_plain(events)))
        return 0
    for event in events:
        actor, reason = shown(event.actor), shown(event.reason, TEXT_SHOWN)
        print(f"{event.state.updated_at}  {event.action:<10}  {actor}  {reason}".rstrip())
    if events:
        _why(events[-1].state)
    return 0


def _why(state: "State") -> None:
    from submission.wording import shown

    failure = state.failure
    if failure is None:
        return
    said = f"{failure.code} in {failure.stage}: {failure.message}\n{failure.hint}\n\n{failure.log}"
    print()
    for line in said.rstrip().splitlines():
        # Whole: it is what somebody asked for who has to mend it.
        print(shown(line, len(line)))


def _log(store: "Store", options: argparse.Namespace) -> int:
    """Print a running request's log, and where another stands."""
    import json
    import time

    from protocol.states import OPEN
    from submission.wording import shown

    seen: list[str] = []
    stood = ""
    while True:
        entry = _entry(store, options.log)
        lines = [shown(line, LINE_SHOWN) for line in entry.log.splitlines()]
        if options.json:
            told = {"status": entry.state.status, "progress": entry.progress, "log": lines}
            print(json.dumps(told), flush=True)
        else:
            for line in new_lines(seen, lines):
                print(line, flush=True)
            if not lines and (standing := _standing(entry)) != stood:
                print(standing, flush=True)
                stood = standing
        seen = lines
        if not options.follow or entry.state.status not in OPEN:
            break
        is_hub = options.store.startswith("hub:")
        time.sleep(LOOK_AT_HUB_SECONDS if is_hub else LOOK_SECONDS)
    if not options.json and not seen:
        _why(entry.state)
    return 0


def _standing(entry: "QueueEntry") -> str:
    detail = _detail(entry)
    return f"{entry.request.request_id} is {entry.state.status}" + (f": {detail}" if detail else "")


def new_lines(seen: "Sequence[str]", lines: "Sequence[str]") -> "Sequence[str]":
    """Return what a log that keeps its last lines only has more than it had when it was seen."""
    for dropped in range(len(seen) + 1):
        kept = len(seen) - dropped
        if list(seen[dropped:]) == list(lines[:kept]):
            return lines[kept:]
    return lines


def _entry(store: "Store", request_id: str) -> "QueueEntry":
    from protocol.errors import StoreError

    for entry in store.queue():
        if entry.request.request_id == request_id:
            return entry
    raise StoreError(f"the store holds no request {request_id!r}; see `cmc queue`")
