"""How the rows of requests and events are made."""

from collections.abc import Mapping
from typing import Any

from protocol.jsonable import to_json
from protocol.records import Request, System
from protocol.states import Event, State

Row = dict[str, Any]


def system_text(system: System | None) -> str:
    """Return a system as one writes it: `ADAPTER:MODEL@REVISION?SETTINGS`."""
    if system is None:
        return ""
    text = f"{system.adapter}:{system.model}" if system.model else system.adapter
    if system.revision:
        text += f"@{system.revision}"
    # As the identity has them: without the folders of the submitter's machine.
    chosen: Mapping[str, str] = system.identity["settings"]  # type: ignore[assignment]
    settings = "&".join(f"{name}={value}" for name, value in sorted(chosen.items()))
    return f"{text}?{settings}" if settings else text


def pair_row(request: Request) -> Row:
    """Return the columns that say what is compared."""
    return {
        "request_id": request.request_id,
        "role": str(request.role),
        "label": request.label,
        "partner": request.partner,
        "i2t": system_text(request.i2t),
        "t2i": system_text(request.t2i),
        "codec": system_text(request.codec),
    }


def request_row(request: Request, state: State) -> Row:
    """Return the row of a request."""
    failure = state.failure
    return {
        **pair_row(request),
        "modes": [str(mode) for mode in request.modes],
        "protocol": request.protocol,
        "dataset": request.dataset,
        "dataset_sha256": request.dataset_sha256,
        "submitter": request.submitter,
        "submitted_at": request.submitted_at,
        "status": str(state.status),
        "attempt": state.attempt,
        "worker": state.worker,
        "failure_code": str(failure.code) if failure else "",
        "failure_stage": failure.stage if failure else "",
        "failure_message": failure.message if failure else "",
        "updated_at": state.updated_at,
        "record": to_json(request),
    }


def event_row(event: Event) -> Row:
    """Return the row of an event."""
    state = event.state
    return {
        "request_id": state.request_id,
        "version": state.version,
        "action": str(event.action),
        "status": str(state.status),
        "actor": event.actor,
        "reason": event.reason,
        "attempt": state.attempt,
        "at": state.updated_at,
    }
