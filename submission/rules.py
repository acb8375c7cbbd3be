"""The checks of a whole submission: its modes, whether it was made before, and its account's share.

Each is a pure function; what was submitted before comes as a `History`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from protocol.records import Request, System
from protocol.rules import TRACKS, Mode, Role, Track
from protocol.states import Status
from protocol.systems import ENDPOINT_ADAPTERS
from submission.caption_files import ADAPTER
from submission.facts import ModelFacts
from submission.findings import Code, Finding
from submission.history import Earlier, History, submitted_since
from submission.limits import Limits
from submission.served import served_by
from submission.wording import check_texts, shown

AGAIN = frozenset({Status.FAILED, Status.WITHDRAWN})
"""Where a request may be sent once more."""


def able_modes(adapter: str, pipeline_class: str = "") -> frozenset[Mode]:
    """Return the modes that an adapter can do, with a pipeline of this class if it has one."""
    served = served_by().get(adapter.replace("_", "-"))
    if served is None:
        return frozenset(Mode)
    return frozenset({Mode.TEXT}) if pipeline_class in served.text_only else served.modes


def modes_for(role: Role, adapter: str, pipeline_class: str) -> tuple[Mode, ...]:
    """Return all modes of a role's board that the T2I model can do, in the board's order."""
    able = able_modes(adapter, pipeline_class)
    return tuple(mode for mode in TRACKS[BOARDS[role]].modes if mode in able)


BOARDS: Mapping[Role, Track] = {
    Role.T2I: Track.T2I,
    Role.I2T: Track.I2T,
    Role.CODEC: Track.CODEC,
}
"""The board with all modes of a role."""


def check_endpoints(request: Request, limits: Limits) -> Iterator[Finding]:
    """A model on a server is one that the store's workers ask: they pay for every answer."""
    for about, system in (("i2t", request.i2t), ("t2i", request.t2i)):
        if limits.endpoints is None or system is None:
            continue
        if system.adapter.replace("_", "-") not in ENDPOINT_ADAPTERS:
            continue
        written = endpoint_of(system)
        if written not in limits.endpoints:
            there = ", ".join(sorted(limits.endpoints)) or "none"
            yield Finding(
                code=Code.ENDPOINT_CLOSED,
                about=about,
                sentence=f"{shown(written)} runs on a server, where who runs the workers pays for "
                f"every answer; these workers ask {there}",
                remedy="ask it yourself and send its captions as a caption file"
                if about == "i2t"
                else "name a model with weights on the Hub, or ask who runs the workers to open it",
            )


def endpoint_of(system: System) -> str:
    """Return a model on a server as `CMC_ENDPOINTS` names it: with its address, if it names one."""
    base = system.settings.get("base_url", "")
    adapter = system.adapter.replace("_", "-")
    return f"{adapter}:{system.model}" + (f"?base_url={base}" if base else "")


def check_reach(request: Request) -> Iterator[Finding]:
    """No model lies on the submitter's machine, where the workers of a shared store do not come."""
    for about, system in (("i2t", request.i2t), ("t2i", request.t2i)):
        if system is None or system.adapter == ADAPTER:
            continue
        if system.path or system.unplaced.settings != system.settings:
            yield Finding(
                code=Code.MODEL_NOT_FOUND,
                about=about,
                sentence=f"{shown(system.label)} lies in a folder of this machine, which no worker "
                "of a store on the Hub reaches",
                remedy="upload it to the Hub; or run it here with `cmc evaluate --out DIR` and "
                "send `--results DIR`",
            )


def check_modes(request: Request, facts: Mapping[str, ModelFacts]) -> Iterator[Finding]:
    """The board has every mode, the T2I model can do it, and a caption has somebody to write it."""
    if request.role is Role.CODEC or request.t2i is None:
        return
    kind = facts["t2i"].pipeline_class if "t2i" in facts else ""
    able = able_modes(request.t2i.adapter, kind)
    board = TRACKS[BOARDS[request.role]].modes
    strange = [mode for mode in request.modes if mode not in board]
    if strange:
        yield Finding(
            code=Code.MODE_UNSUPPORTED,
            about=request.role.value.lower(),
            sentence=f"{', '.join(strange)} mode says nothing of an {request.role} model: no "
            "caption is sent in it",
            remedy=f"ask for {', '.join(mode for mode in board if mode in able)}",
        )
    missing = [mode for mode in request.modes if mode not in able]
    if missing:
        yield Finding(
            code=Code.MODE_UNSUPPORTED,
            about="t2i",
            sentence=f"{shown(request.t2i.label)} ({shown(kind or request.t2i.adapter)}) cannot do "
            f"{', '.join(missing)}",
            remedy=f"ask for {', '.join(mode for mode in board if mode in able)}",
        )
    if request.i2t is None and any(mode.has_caption for mode in request.modes):
        yield Finding(
            code=Code.MODE_UNSUPPORTED,
            about="i2t",
            sentence="no I2T model is named, and only image mode can do without captions",
            remedy="name one, or ask for image mode alone",
        )


def check_names(request: Request) -> Iterator[Finding]:
    """What the request says is fit to be shown on a page."""
    texts = {
        part: _as_typed(system)
        for part, system in (("i2t", request.i2t), ("t2i", request.t2i), ("codec", request.codec))
        if system is not None
    }
    texts |= {"dataset": request.dataset, "submitter": request.submitter}
    yield from check_texts({**texts, **request.declared})


def check_duplicates(request: Request, history: History) -> Iterator[Finding]:
    """Nobody else asked for the same, and no other name stands for the same weights.

    Who sends a request of his own again is told where it stands, and that is no refusal. Nor is a
    new name for weights of his own that have a row: it would be gone while the new one waits.
    """
    same = history.find(request.request_id)
    if same is not None and same.status not in AGAIN and same.submitter != request.submitter:
        yield Finding(
            code=Code.DUPLICATE_REQUEST,
            about="form",
            sentence=f"the same was submitted as {same.request_id} on {same.submitted_at[:10]} "
            f"and is {same.status}",
            remedy=f"see `cmc queue`; nothing is gained by running {same.request_id} twice",
        )
    compared = request.compared
    named = [
        other
        for other in history.with_weights(request.fingerprints)
        if compared and other.model != compared.model and other.status not in AGAIN
        if not (other.status == Status.SUPERSEDED and other.submitter == request.submitter)
    ]
    # What refuses first: of many names one is told.
    for other in sorted(named, key=lambda one: _is_own_row(one, request))[:1]:
        is_renamed = _is_own_row(other, request)
        yield Finding(
            code=Code.RENAMED if is_renamed else Code.DUPLICATE_WEIGHTS,
            about=request.role.value.lower(),
            sentence=f"the weights of {shown(compared.model if compared else '')} are those of "
            f"{shown(other.model)}, submitted as {other.request_id} by {shown(other.submitter)}",
            remedy="when this one has finished, let it take that row's place: cmc queue "
            f"--supersede {other.request_id} {request.request_id}"
            if is_renamed
            else "submit weights of your own; if the model moved to a new name, withdraw the "
            "earlier request first",
        )


def _is_own_row(other: Earlier, request: Request) -> bool:
    return other.status == Status.FINISHED and other.submitter == request.submitter


def overrule_duplicate(findings: Iterable[Finding], maintainer: str, reason: str) -> list[Finding]:
    """Return the findings with that about equal weights as a note that a maintainer answers."""
    return [
        replace(
            one,
            code=Code.OVERRULED,
            sentence=f"{one.sentence}; {shown(maintainer)} says that it is no duplicate: "
            f"{shown(reason)}",
            remedy="",
        )
        if one.code is Code.DUPLICATE_WEIGHTS
        else one
        for one in findings
    ]


def check_quota(request: Request, history: History, limits: Limits) -> Iterator[Finding]:
    """The submitting account has not used up its share; whose model it is does not matter."""
    own = [one for one in history.of(request.submitter) if one.request_id != request.request_id]
    waiting = [one for one in own if one.is_open]
    recent = submitted_since(own, request.submitted_at, 7)
    who = shown(request.submitter)
    if len(waiting) >= limits.waiting_requests:
        yield Finding(
            code=Code.QUOTA_EXCEEDED,
            about="submitter",
            sentence=f"{len(waiting)} requests of {who} wait or run; an account may have "
            f"{limits.waiting_requests}",
            remedy="wait until one has finished, or withdraw one",
        )
    elif len(recent) >= limits.weekly_requests:
        yield Finding(
            code=Code.QUOTA_EXCEEDED,
            about="submitter",
            sentence=f"{who} submitted {len(recent)} requests in seven days; an account may submit "
            f"{limits.weekly_requests}",
            remedy=f"the oldest of them was submitted at {min(o.submitted_at for o in recent)}; "
            "submit again seven days after it",
        )


def _as_typed(system: System) -> str:
    """Return a system as it is typed, without the folder where it lies on this machine."""
    settings = system.identity["settings"]
    behind = "&".join(f"{k}={v}" for k, v in settings.items()) if isinstance(settings, dict) else ""
    return f"{system.adapter}:{system.model}" + (f"?{behind}" if behind else "")
