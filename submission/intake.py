"""From what a person typed to findings and facts: what `cmc submit` and the Space run first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from protocol.errors import SubmissionError
from protocol.records import Request, System
from submission.checks import Subject, examine_model
from submission.facts import ModelFacts
from submission.findings import Code, Finding, refusals
from submission.folders import folder_facts, local_path, with_hashes
from submission.history import History
from submission.hub_models import hub_facts
from submission.limits import LIMITS, Limits
from submission.rules import (
    check_duplicates,
    check_endpoints,
    check_modes,
    check_names,
    check_quota,
)
from submission.served import Served, served_by
from submission.settings import wrong_settings
from submission.systems import (
    adapter_of,
    is_commit,
    is_hub_id,
    resolve,
    split_revision,
    split_settings,
)
from submission.wording import shown


@dataclass(frozen=True, slots=True)
class Examined:
    """One system after its checks, before it is pinned."""

    text: str
    """As it was typed, with the commit that the Hub named."""
    facts: ModelFacts | None
    """None for what loads no model."""
    findings: tuple[Finding, ...]


def examine_system(
    about: str,
    text: str,
    *,
    look_up: Callable[[str, str], ModelFacts] = hub_facts,
    takes_folders: bool = True,
) -> Examined:
    """Look a system up and check it.

    Args:
        about: `i2t` or `t2i`.
        text: `ADAPTER:MODEL[@REVISION][?…]` or a name of the registry.
        look_up: asks the Hub about a model and a revision.
        takes_folders: whether a remedy may name a folder.

    Raises:
        ModelError: the text names no system.
    """
    resolved = resolve(text)
    adapter = adapter_of(resolved).replace("_", "-")
    served = served_by().get(adapter)
    written, _, behind = resolved.partition("?")
    model, revision = split_revision(written.partition(":")[2])
    wrong = _check_settings(about, adapter, split_settings(resolved)[1])
    if served is None or not served.has_weights or not model:
        return Examined(resolved, None, wrong)
    path = local_path(model)
    if path.exists() and revision and not is_commit(revision):
        return Examined(resolved, None, (*wrong, _no_revision(about, model, revision)))
    if path.exists():
        facts = folder_facts(path)
    elif is_hub_id(model):
        facts = look_up(model, revision)
    else:
        return Examined(resolved, None, (*wrong, _no_model(about, model)))
    subject = _subject(about, adapter, served, facts)
    findings = wrong + examine_model(replace(subject, takes_folders=takes_folders))
    if facts.is_local and not refusals(findings):
        facts = with_hashes(facts, path)
    pinned = resolved
    if facts.commit:
        pinned = f"{adapter}:{model}@{facts.commit}" + (f"?{behind}" if behind else "")
    return Examined(pinned, facts, findings)


def _subject(about: str, adapter: str, served: Served, facts: ModelFacts) -> Subject:
    return Subject(about=about, adapter=adapter, served=served, facts=facts, limits=LIMITS)


def _check_settings(about: str, adapter: str, settings: Mapping[str, str]) -> tuple[Finding, ...]:
    system = System(adapter=adapter, model="", revision="", path="", settings=settings)
    return tuple(
        Finding(
            code=Code.BAD_FORM,
            about=about,
            sentence=shown(wrong, 500),
            remedy="correct it, or leave it out",
        )
        for wrong in wrong_settings(system)
    )


def _no_model(about: str, model: str) -> Finding:
    return Finding(
        code=Code.MODEL_NOT_FOUND,
        about=about,
        sentence=f"{shown(model)!r} is neither a file nor a folder here nor a Hub id",
        remedy="write a Hub id as owner/name, or an existing path",
    )


def _no_revision(about: str, model: str, revision: str) -> Finding:
    return Finding(
        code=Code.REVISION_NOT_FOUND,
        about=about,
        sentence=f"{shown(model)} lies on this machine, is pinned by its content, and has no "
        f"revision {shown(revision)!r}",
        remedy="leave out what stands behind the @, or name a Hub id",
    )


def with_fingerprints(request: Request, facts: Mapping[str, ModelFacts]) -> Request:
    """Return the request with the fingerprints of the model that it compares."""
    known = facts.get(request.role.value.lower())
    return replace(request, fingerprints=known.fingerprints) if known else request


def examine_request(
    request: Request,
    facts: Mapping[str, ModelFacts],
    history: History,
    limits: Limits = LIMITS,
) -> tuple[Finding, ...]:
    """Return the findings about a whole request; `facts` are those of `i2t` and `t2i`."""
    return (
        *check_names(request),
        *check_endpoints(request, limits),
        *check_modes(request, facts),
        *check_duplicates(request, history),
        *check_quota(request, history, limits),
    )


def examine_again(request: Request) -> tuple[Finding, ...]:
    """Return what speaks against the models of a queued request, at the commits that it names.

    A worker asks before it loads anything: a request may have come into the store past the checks,
    and a folder may have changed. That the Hub cannot be reached speaks against nothing, because
    the model may lie in the worker's cache.
    """
    findings: list[Finding] = list(check_names(request))
    for about, system in (("i2t", request.i2t), ("t2i", request.t2i)):
        adapter = system.adapter.replace("_", "-") if system else ""
        served = served_by().get(adapter)
        if system is None or served is None or not served.has_weights or not system.model:
            continue
        if system.path:
            facts = folder_facts(Path(system.path))
        else:
            facts = hub_facts(system.model, system.revision)
        found = examine_model(_subject(about, adapter, served, facts))
        findings += [one for one in found if one.code is not Code.HUB_UNREACHABLE]
    return tuple(findings)


def require_accepted(findings: Iterable[Finding]) -> None:
    """Refuse a submission that a finding turns away.

    Raises:
        SubmissionError: it holds all of them, with their remedies.
    """
    refused = refusals(findings)
    if refused:
        raise SubmissionError(
            "; ".join(f"{one.code}: {one.sentence} ({one.remedy})" for one in refused)
        )
