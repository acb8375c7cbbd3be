"""A submission that comes in over the page; the rules are `submission`'s, as for `cmc submit`."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from protocol.errors import InputError, StoreError
from protocol.gpus import GPUS
from protocol.records import Request, System
from protocol.rules import Role
from space.desk import Desk, known_systems, open_benches
from space.form import Form, declared_of, modes_asked, refuse_paths, role_asked
from space.sources import StoreSource
from submission.caption_files import caption_system, check_captions, parse_captions, stored_path
from submission.clock import now
from submission.cost import estimate_cost, work_of
from submission.facts import ModelFacts
from submission.findings import Finding, refusals
from submission.identity import Account, require_owner, require_submitter
from submission.intake import examine_request, examine_system, require_accepted, with_fingerprints
from submission.rules import modes_for
from submission.store import QueueEntry, Store
from submission.systems import pin_system
from submission.wording import check_texts, shown

USUAL_IMAGES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the checks say of a form."""

    findings: tuple[Finding, ...]
    cost: str
    """What a run will take, in a sentence; empty where that cannot be said."""
    about: tuple[str, ...] = ()
    """What was found of the systems, a sentence each."""
    request: Request | None
    """None when a finding refuses it."""
    attached: Mapping[str, bytes] = field(default_factory=dict)
    """Files that travel with the request, by their path in the store."""


@dataclass(slots=True)
class _Found:
    """What was learnt of both halves so far."""

    systems: dict[str, System] = field(default_factory=dict)
    facts: dict[str, ModelFacts] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    about: list[str] = field(default_factory=list)
    attached: dict[str, bytes] = field(default_factory=dict)


def store_of(source: object) -> Store:
    """Return the store behind a source.

    Raises:
        StoreError: there is none: the page shows published rows alone.
    """
    if not isinstance(source, StoreSource):
        raise StoreError("this page has no store behind it, so nothing can be submitted here")
    return source.store


def check(desk: Desk, form: Form, account: Account) -> Answer:
    """Check a form as `cmc submit` checks its options; nothing is written.

    Raises:
        CMCError: a system is named that does not exist, or the form's choices do not.
    """
    entries = desk.queue().entries
    bench = open_benches(entries).get(form.bench)
    if bench is None:
        raise InputError(f"{shown(form.bench, 80)!r} is not open; choose one of the list")
    if form.gpu not in GPUS:
        raise InputError(f"no GPU {shown(form.gpu, 20)!r}; there are {', '.join(GPUS)}")
    role, declared = role_asked(form.role), declared_of(form)
    found = _Found(findings=[*check_texts(declared)])
    known = known_systems(entries)
    if form.captions:
        _take_captions(found, desk, form, bench)
    else:
        _take_system(found, desk, "i2t", form.i2t.strip(), known)
    _take_system(found, desk, "t2i", form.t2i.strip(), known)
    about = tuple(found.about)
    if refusals(found.findings) or len(found.systems) < 2:
        return Answer(findings=tuple(found.findings), cost="", about=about, request=None)
    request = _request(role, found, bench, account, form.modes)
    request = replace(with_fingerprints(request, found.facts), declared=declared)
    more = examine_request(request, found.facts, desk.history(), desk.limits(account))
    # What the texts say was said above.
    findings = (*found.findings, *(one for one in more if one not in found.findings))
    return Answer(
        findings=findings,
        cost=_cost(desk, request, found.facts, form.gpu),
        about=about,
        request=None if refusals(findings) else request,
        attached=found.attached,
    )


def submit(desk: Desk, form: Form, account: Account) -> QueueEntry:
    """Check a form and queue its request; return its line of the queue.

    Raises:
        SubmissionError: the checks turn it away.
    """
    # On the newest book: what others have submitted meanwhile counts.
    desk.renew()
    answer = check(desk, form, account)
    require_accepted(answer.findings)
    if answer.request is None:
        raise InputError("the form is not complete")
    require_submitter(account, answer.request)
    desk.store.submit(answer.request, attached=answer.attached)
    return find_entry(desk, answer.request.request_id)


def withdraw(desk: Desk, request_id: str, account: Account) -> QueueEntry:
    """Withdraw one's own request.

    Raises:
        SignInError: it is somebody else's.
    """
    require_owner(account, desk.store.request(request_id), frozenset())
    desk.store.withdraw(request_id, account.name)
    return find_entry(desk, request_id)


def find_entry(desk: Desk, request_id: str) -> QueueEntry:
    """Return a request's line of the queue, read anew.

    Raises:
        StoreError: there is none.
    """
    found = (e for e in desk.renew().entries if e.request.request_id == request_id)
    entry = next(found, None)
    if entry is None:
        raise StoreError(f"no request {shown(request_id, 40)!r}")
    return entry


def _take_system(
    found: _Found, desk: Desk, about: str, text: str, known: Mapping[str, System]
) -> None:
    if text in known:
        found.systems[about] = known[text]
        return
    refuse_paths(text)
    examined = examine_system(about, text, look_up=desk.look_up, takes_folders=False)
    found.findings += examined.findings
    if examined.facts:
        found.facts[about] = examined.facts
        found.about += _describe(examined.facts)
    if not refusals(examined.findings):
        found.systems[about] = pin_system(examined.text)


def _take_captions(found: _Found, desk: Desk, form: Form, bench: Request) -> None:
    try:
        content = base64.b64decode(form.captions, validate=True)
    except ValueError as error:
        # Of a wrong letter or length, or of a letter that is not even ASCII.
        raise InputError("the caption file did not arrive whole; choose it again") from error
    name = form.captions_name
    pictures = desk.pictures(bench.dataset_sha256)
    findings = list(check_captions(content, name, pictures))
    found.findings += findings
    if findings:
        return
    system = caption_system(content, name)
    found.systems["i2t"] = system
    found.attached[stored_path(system)] = content
    captions = parse_captions(content, name)
    lengths = [len(text.encode()) for text in captions.values()]
    held = "" if pictures else "; which pictures need one is known when a first run has finished"
    found.about.append(
        f"{shown(name)}: {len(captions):,} captions of {sum(lengths) / len(lengths):.0f} bytes on "
        f"average, {max(lengths):,} at most{held}"
    )


def _describe(facts: ModelFacts) -> tuple[str, ...]:
    kind = facts.pipeline_class or facts.model_type
    parts = [
        shown(kind) if kind else "",
        f"{_count(facts.main_parameters)} parameters" if facts.main_parameters else "",
        f"{_size(facts.loaded_bytes)} of weights" if facts.loaded_bytes else "",
        f"at commit {facts.commit[:12]}" if facts.commit else "",
    ]
    said = ", ".join(filter(None, parts))
    return (f"{shown(facts.name)}: {said}",) if said else ()


def _count(number: int) -> str:
    if number >= 10**8:
        return f"{number / 1e9:.2f} billion"
    return f"{number / 1e6:.2f} million" if number >= 10**5 else f"{number:,}"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 10**8 else f"{count / 1e6:.1f} MB"


def _cost(desk: Desk, request: Request, facts: Mapping[str, ModelFacts], gpu: str) -> str:
    if not facts:
        return ""
    seen = desk.images(request.dataset_sha256)
    work = work_of(request, facts, seen or USUAL_IMAGES)
    cost = estimate_cost(work, facts.get("i2t"), facts.get("t2i"), gpu)
    known = "" if seen else "; how many there are is known when a first run has finished"
    return f"{cost.sentence}, for {work.images:,} pictures{known}"


def _request(role: Role, found: _Found, bench: Request, account: Account, modes: str) -> Request:
    t2i = found.systems["t2i"]
    kind = found.facts["t2i"].pipeline_class if "t2i" in found.facts else ""
    return Request(
        role=role,
        i2t=found.systems["i2t"],
        t2i=t2i,
        codec=None,
        modes=modes_asked(role, modes) or modes_for(role, t2i.adapter, kind),
        protocol=bench.protocol,
        dataset=bench.dataset,
        dataset_sha256=bench.dataset_sha256,
        submitter=account.name,
        submitted_at=now(),
    )
