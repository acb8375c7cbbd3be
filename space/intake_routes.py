"""The routes behind the Submit page: who is there, checks, submission, queue, withdrawal."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from protocol.errors import CMCError, SignInError
from space.intake import Form, check, find_entry, open_benches, store_of, submit, withdraw
from space.plain import plain_json
from submission.identity import Account, account_of_machine, account_of_profile
from submission.store import QueueEntry

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

    from space.shop import Shop

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def add_intake(app: "FastAPI", shop: "Shop") -> None:
    """Add the routes; inside a Space, those of signing in as well."""
    from fastapi import Body, Request, Response

    # Gradio makes a mocked sign-in of it where it does not see a Space, which is nobody's identity.
    is_space = "SPACE_ID" in os.environ and os.environ.get("SYSTEM") == "spaces"
    if is_space and "OAUTH_CLIENT_ID" in os.environ:
        from gradio.oauth import attach_oauth

        attach_oauth(app)

    @app.get("/intake/state")
    def state(request: Request) -> Response:
        return _answered(lambda: _state(shop, request))

    @app.post("/intake/{action}")
    def act(action: str, request: Request, form: Annotated[dict[str, str], Body()]) -> Response:
        return _answered(lambda: _act(shop, action, request, form))


def _state(shop: "Shop", request: "Request") -> dict[str, Any]:
    store = store_of(shop.keeper.source)
    entries = store.queue()
    try:
        account: Account | None = account_of(request)
    except SignInError:
        account = None
    known = {s.label for e in entries for s in (e.request.i2t, e.request.t2i) if s}
    return {
        "account": account.name if account else "",
        "can_sign_in": "SPACE_ID" in os.environ,
        "benches": list(open_benches(entries)),
        "systems": sorted(known),
        "queue": [_entry(entry, account) for entry in entries],
    }


def _act(shop: "Shop", action: str, request: "Request", form: dict[str, str]) -> dict[str, Any]:
    # A page elsewhere can send a form here in a reader's name, but not with a header of its own.
    if request.headers.get("x-cmc") != "1":
        raise SignInError("the request does not come from this page")
    store, account = store_of(shop.keeper.source), account_of(request)
    if action == "withdraw":
        return _entry(withdraw(store, form.get("request_id", ""), account), account)
    filled = Form(**{name: str(form.get(name, "")) for name in ("role", "i2t", "t2i", "bench")})
    if action == "check":
        answer = check(store, filled, account)
        request_id = answer.request.request_id if answer.request else ""
        return {"findings": answer.findings, "cost": answer.cost, "request_id": request_id}
    if action == "submit":
        return _entry(submit(store, filled, account), account)
    if action == "follow":
        return _entry(find_entry(store, form.get("request_id", "")), account)
    raise SignInError("there is no such action")


def account_of(request: "Request") -> Account:
    """Return who sends a request: in a Space who signed in, elsewhere this machine's user.

    Raises:
        SignInError: nobody is signed in, or the request came over the network.
    """
    if "SPACE_ID" in os.environ:
        if "session" not in request.scope:
            raise SignInError("nobody can sign in here: the Space's front matter lacks hf_oauth")
        info = request.session.get("oauth_info") or {}
        return account_of_profile(info.get("userinfo"))
    # By its name as well: a stranger's name that leads to this machine is a stranger's page.
    sender = request.client.host if request.client else ""
    if sender not in LOCAL_HOSTS or request.url.hostname not in LOCAL_HOSTS:
        raise SignInError("only this machine's user can submit to a store on this machine")
    return account_of_machine()


def _entry(entry: QueueEntry, account: Account | None) -> dict[str, Any]:
    request, state = entry.request, entry.state
    return {
        "request_id": request.request_id,
        "model": request.label,
        "partner": request.partner,
        "role": request.role,
        "submitter": request.submitter,
        "submitted_at": request.submitted_at,
        "status": state.status,
        "attempt": state.attempt,
        "progress": entry.progress,
        "position": entry.position,
        "wait_seconds": entry.wait_seconds,
        "failure": state.failure,
        "is_mine": bool(account and account.name == request.submitter),
    }


def _answered(do: Callable[[], Any]) -> "Response":
    """Return what `do` returns as JSON; a refusal is an answer, with its reason."""
    from fastapi import Response

    try:
        content, status = plain_json(do()), 200
    except SignInError as error:
        content, status = plain_json({"error": str(error)}), 403
    except CMCError as error:
        content, status = plain_json({"error": str(error)}), 400
    headers = {"Cache-Control": "no-store"}
    return Response(content, status, headers, media_type="application/json")
