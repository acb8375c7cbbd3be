"""What the Submit page knows of its store, so that a form costs the store no call."""

import time
from collections.abc import Callable, Mapping, Sequence

from protocol.errors import CMCError
from protocol.records import Request, Result, System
from protocol.states import Status
from protocol.system_names import distinct_names, system_key
from space.queue_view import QueueKeeper, QueueView
from submission.caption_files import ADAPTER
from submission.facts import ModelFacts, Trouble
from submission.history import History, history_of
from submission.hub_models import hub_facts
from submission.identity import Account
from submission.limits import Limits, limits_for, shared_limits
from submission.store import FolderStore, QueueEntry, Store

FACTS_SECONDS = 120.0
"""How long an answer of the Hub about a model is good for: a form is checked at every change."""
MOST_FACTS = 64


class Desk:
    """One store, with what was last learnt of it."""

    def __init__(self, store: Store, results: Callable[[], Sequence[Result]]) -> None:
        """Keep the store and what returns the shown results; nothing is asked yet."""
        self.store = store
        self._results = results
        self._queue = QueueKeeper(store.queue)
        self._pictures: dict[str, frozenset[str]] = {}
        self._facts: dict[tuple[str, str], tuple[float, ModelFacts]] = {}

    def queue(self) -> QueueView:
        """Return the queue as it was last read."""
        return self._queue.newest()

    def renew(self) -> QueueView:
        """Read the queue now.

        Raises:
            CMCError: the store does not answer.
        """
        return self._queue.renew()

    def history(self) -> History:
        """Return what was submitted before, as of the last look."""
        return history_of(self.store.ledger.book)

    def limits(self, account: Account | None) -> Limits:
        """Return what an account may ask for here; of a stranger the least."""
        if account is None:
            return shared_limits()
        return limits_for(account, is_folder=isinstance(self.store, FolderStore))

    def images(self, dataset_sha256: str) -> int | None:
        """Return how many pictures a run of a bench has; None where none has been seen."""
        seen = (r.images for r in self._results() if r.request.dataset_sha256 == dataset_sha256)
        return next(seen, None)

    def pictures(self, dataset_sha256: str) -> frozenset[str]:
        """Return the names of a bench's pictures; none where no run has told them."""
        if dataset_sha256 not in self._pictures:
            for entry in self.queue().entries:
                is_bench = entry.request.dataset_sha256 == dataset_sha256
                if is_bench and entry.state.status is Status.FINISHED:
                    names = _names(self.store, entry.request.request_id)
                    if names:
                        self._pictures[dataset_sha256] = names
                    break
        return self._pictures.get(dataset_sha256, frozenset())

    def look_up(self, model: str, revision: str) -> ModelFacts:
        """Return what the Hub says of a model; a good answer is kept for a while."""
        key, at = (model, revision), time.monotonic()
        kept = self._facts.get(key)
        if kept is not None and at - kept[0] < FACTS_SECONDS:
            return kept[1]
        facts = hub_facts(model, revision)
        if facts.trouble is not Trouble.UNREACHABLE:
            self._facts[key] = (at, facts)
            while len(self._facts) > MOST_FACTS:
                self._facts.pop(next(iter(self._facts)), None)
        return facts


def _names(store: Store, request_id: str) -> frozenset[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(store.per_image_path(request_id), columns=["name"])
    except (CMCError, OSError, pa.ArrowException):
        # Then a caption file is held to the form of its names; the worker holds it to the pictures.
        return frozenset()
    return frozenset(table.column("name").to_pylist())


def open_benches(entries: Sequence[QueueEntry]) -> dict[str, Request]:
    """Return what can be submitted to: the pictures and protocols of the store's requests."""
    return {
        f"{r.protocol} · {r.dataset} ({r.dataset_sha256[:8]})": r
        for r in (e.request for e in entries)
    }


def known_systems(entries: Sequence[QueueEntry]) -> Mapping[str, System]:
    """Return the systems that the store has run or will run, by what they are called here.

    Caption files of one name are told apart by their hash, and so is whatever else shares a label.
    """
    systems = [s for e in entries for s in (e.request.i2t, e.request.t2i) if s is not None]
    names = distinct_names(systems)
    return {names[system_key(system)]: system for system in systems}


def role_of(system: System) -> str:
    """Return which half of a pair a known system is: `i2t` or `t2i`."""
    from protocol.rules import Role
    from protocol.systems import ADAPTERS

    adapter = system.adapter.replace("_", "-")
    return "i2t" if adapter == ADAPTER or adapter in ADAPTERS[Role.I2T] else "t2i"
