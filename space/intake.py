"""A submission that comes in over the page; the rules are `submission`'s, as for `cmc submit`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.errors import InputError, StoreError
from protocol.records import Request, System
from protocol.rules import TRACKS, Mode, Role, Track
from space.sources import StoreSource
from submission.clock import now
from submission.cost import estimate_cost, work_of
from submission.facts import ModelFacts
from submission.findings import Finding, refusals
from submission.history import history_of
from submission.identity import Account, require_owner, require_submitter
from submission.intake import examine_request, examine_system, require_accepted, with_fingerprints
from submission.served import served_by
from submission.store import QueueEntry, Store
from submission.systems import adapter_of, is_hub_id, pin_system, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a person filled in."""

    role: str
    i2t: str
    t2i: str
    bench: str
    """One of `open_benches`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the checks say of a form."""

    findings: tuple[Finding, ...]
    cost: str
    """What a run will take, in a sentence; empty where that cannot be said."""
    request: Request | None
    """None when a finding refuses it."""


def store_of(source: object) -> Store:
    """Return the store behind a source.

    Raises:
        StoreError: there is none: the page shows published rows alone.
    """
    if not isinstance(source, StoreSource):
        raise StoreError("this page has no store behind it, so nothing can be submitted here")
    return source.store


def open_benches(entries: Sequence[QueueEntry]) -> dict[str, Request]:
    """Return what can be submitted to: the pictures and protocols of the store's requests."""
    return {
        f"{r.protocol} · {r.dataset} ({r.dataset_sha256[:8]})": r
        for r in (e.request for e in entries)
    }


def check(store: Store, form: Form, account: Account, gpu: str = "a100") -> Answer:
    """Check a form as `cmc submit` checks its options; nothing is written.

    Raises:
        CMCError: a system is named that does not exist, or the form's choices do not.
    """
    entries = store.queue()
    bench = open_benches(entries).get(form.bench)
    if bench is None:
        raise InputError(f"{form.bench[:80]!r} is not open; choose one of the list")
    role = _role(form.role)
    known = {s.label: s for e in entries for s in (e.request.i2t, e.request.t2i) if s}
    findings: list[Finding] = []
    systems: dict[str, System] = {}
    facts: dict[str, ModelFacts] = {}
    for about, text in (("i2t", form.i2t.strip()), ("t2i", form.t2i.strip())):
        if text in known:
            systems[about] = known[text]
            continue
        _refuse_paths(text)
        examined = examine_system(about, text)
        findings += examined.findings
        if examined.facts:
            facts[about] = examined.facts
        if not refusals(examined.findings):
            systems[about] = pin_system(examined.text)
    if refusals(findings) or len(systems) < 2:
        return Answer(findings=tuple(findings), cost="", request=None)
    request = with_fingerprints(_request(role, systems, bench, account), facts)
    findings += examine_request(request, facts, history_of(store.ledger.refresh()))
    work = work_of(request, facts, 1000)
    cost = estimate_cost(work, facts.get("i2t"), facts.get("t2i"), gpu).sentence if facts else ""
    refused = bool(refusals(findings))
    return Answer(findings=tuple(findings), cost=cost, request=None if refused else request)


def submit(store: Store, form: Form, account: Account) -> QueueEntry:
    """Check a form and queue its request; return its line of the queue.

    Raises:
        SubmissionError: the checks turn it away.
    """
    answer = check(store, form, account)
    require_accepted(answer.findings)
    if answer.request is None:
        raise InputError("the form is not complete")
    require_submitter(account, answer.request)
    store.submit(answer.request)
    return find_entry(store, answer.request.request_id)


def withdraw(store: Store, request_id: str, account: Account) -> QueueEntry:
    """Withdraw one's own request.

    Raises:
        SignInError: it is somebody else's.
    """
    require_owner(account, store.request(request_id), frozenset())
    store.withdraw(request_id, account.name)
    return find_entry(store, request_id)


def find_entry(store: Store, request_id: str) -> QueueEntry:
    """Return a request's line of the queue.

    Raises:
        StoreError: there is none.
    """
    found = (entry for entry in store.queue() if entry.request.request_id == request_id)
    entry = next(found, None)
    if entry is None:
        raise StoreError(f"no request {request_id[:40]!r}")
    return entry


def _role(text: str) -> Role:
    if text not in (Role.I2T, Role.T2I):
        raise InputError(f"{text[:20]!r} cannot be compared here; choose T2I or I2T")
    return Role(text)


def _refuse_paths(text: str) -> None:
    """Refuse what names a file of the server's machine: the page takes Hub ids and known names.

    Raises:
        InputError: with what to write instead.
    """
    if not text:
        raise InputError("both an I2T and a T2I model are needed")
    resolved = resolve(text)
    served = served_by().get(adapter_of(resolved).replace("_", "-"))
    written = resolved.partition("?")[0]
    model = written.partition(":")[2].partition("@")[0]
    if served is None or (model and not is_hub_id(model)) or (served.has_weights and not model):
        raise InputError(
            f"{text[:80]!r} is nothing that can be submitted here; write ADAPTER:OWNER/NAME, for "
            "example diffusers:segmind/SSD-1B, or a name that the list offers"
        )


def _request(
    role: Role, systems: Mapping[str, System], bench: Request, account: Account
) -> Request:
    able = served_by()[systems["t2i"].adapter].modes
    wanted = TRACKS[Track.I2T if role is Role.I2T else Track.T2I].modes
    modes: tuple[Mode, ...] = tuple(mode for mode in wanted if mode in able)
    return Request(
        role=role,
        i2t=systems["i2t"],
        t2i=systems["t2i"],
        codec=None,
        modes=modes,
        protocol=bench.protocol,
        dataset=bench.dataset,
        dataset_sha256=bench.dataset_sha256,
        submitter=account.name,
        submitted_at=now(),
    )
