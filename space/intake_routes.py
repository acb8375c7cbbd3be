"""The routes behind the Submit page: who is there, checks, submission, queue, withdrawal."""

import json
import os
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from protocol.errors import CMCError, InputError, SignInError
from protocol.gpus import GPUS
from protocol.rules import TRACKS, Role
from protocol.systems import ADAPTERS, ENDPOINT_ADAPTERS, NamedSystem, Readiness, named_systems
from space.desk import Desk, known_systems, open_benches, role_of
from space.form import Form
from space.intake import check, find_entry, store_of, submit, withdraw
from space.plain import plain_json
from space.queue_rows import queue_rows, row_of
from submission.identity import Account, account_of_machine, account_of_profile
from submission.limits import Limits
from submission.rules import BOARDS
from submission.settings import settings_of
from submission.wording import LONGEST, shown

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

    from space.shop import Shop

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
LONGEST_REASON = 500


def add_intake(app: "FastAPI", shop: "Shop") -> None:
    """Add the routes; inside a Space, those of signing in as well."""
    from fastapi import Request, Response
    from fastapi.concurrency import run_in_threadpool

    # Gradio makes a mocked sign-in of it where it does not see a Space, which is nobody's identity.
    is_space = "SPACE_ID" in os.environ and os.environ.get("SYSTEM") == "spaces"
    if is_space and "OAUTH_CLIENT_ID" in os.environ:
        from gradio.oauth import attach_oauth

        attach_oauth(app)
    desk = _desk_of(shop)

    @app.get("/intake/state")
    def state(request: Request) -> Response:
        return _answered(lambda: _state(desk(), request))

    @app.get("/intake/queue")
    def queue(request: Request) -> Response:
        return _answered(lambda: queue_rows(desk().queue(), _account_or_none(request)))

    @app.post("/intake/{action}")
    async def act(action: str, request: Request) -> Response:
        refused = _answered(lambda: _require_sender(request))
        if refused.status_code != 200:
            return refused
        body = await request.body()
        return await run_in_threadpool(
            lambda: _answered(lambda: _act(desk(), action, account_of(request), body))
        )


def _desk_of(shop: "Shop") -> Callable[[], Desk]:
    """Return what returns the one desk; it is made when the page first asks."""

    @cache
    def desk() -> Desk:
        return Desk(store_of(shop.keeper.source), lambda: shop.keeper.snapshot.results)

    return desk


def _state(desk: Desk, request: "Request") -> dict[str, Any]:
    """Return what the form needs: who is there, and what can be chosen."""
    view, account = desk.queue(), _account_or_none(request)
    known = {
        label: {"half": role_of(system), "adapter": system.adapter.replace("_", "-")}
        for label, system in known_systems(view.entries).items()
    }
    halves = {Role.I2T: "i2t", Role.T2I: "t2i"}
    limits = desk.limits(account)
    named = {
        row.name: {"half": halves[row.role], "adapter": row.adapter}
        for row in named_systems()
        if row.status is Readiness.READY and row.role in halves and _is_open(row, limits)
    }
    return {
        "account": account.name if account else "",
        "can_sign_in": "SPACE_ID" in os.environ and "session" in request.scope,
        "who_can": "Nobody can sign in here: the Space's front matter lacks hf_oauth"
        if "SPACE_ID" in os.environ
        else "Only this machine's user can submit here",
        "problem": view.problem,
        "benches": list(open_benches(view.entries)),
        "known": known,
        "named": named,
        "adapters": {name: settings_of(name) for role in halves for name in ADAPTERS[role]},
        "modes": {role: TRACKS[BOARDS[role]].modes for role in halves},
        "gpus": list(GPUS),
        "longest": LONGEST,
    }


def _is_open(row: NamedSystem, limits: Limits) -> bool:
    if row.adapter not in ENDPOINT_ADAPTERS or limits.endpoints is None:
        return True
    return f"{row.adapter}:{row.repo}" in limits.endpoints


def _require_sender(request: "Request") -> None:
    # A page elsewhere can send a form here in a reader's name, but not with a header of its own.
    if request.headers.get("x-cmc") != "1":
        raise SignInError("the request does not come from this page")
    account_of(request)


def _act(desk: Desk, action: str, account: Account, body: bytes) -> dict[str, Any]:
    sent = _read(body)
    if action == "withdraw":
        return row_of(withdraw(desk, sent.get("request_id", ""), account), account)
    if action == "follow":
        return row_of(find_entry(desk, sent.get("request_id", "")), account)
    wanted = [field.name for field in fields(Form)]
    form = Form(
        **{"role": "", "i2t": "", "t2i": "", "bench": ""}
        | {name: sent[name] for name in wanted if name in sent}
    )
    if action == "check":
        answer = check(desk, form, account)
        return {
            "findings": [
                {
                    "code": one.code,
                    "about": one.about,
                    "sentence": one.sentence,
                    "remedy": one.remedy,
                    "refuses": one.refuses,
                }
                for one in answer.findings
            ],
            "about": answer.about,
            "cost": answer.cost,
            "modes": answer.request.modes if answer.request else (),
            "request_id": answer.request.request_id if answer.request else "",
        }
    if action == "submit":
        return row_of(submit(desk, form, account), account)
    raise InputError("there is no such action")


def _read(body: bytes) -> dict[str, str]:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the form did not arrive whole; send it again") from error
    is_form = isinstance(sent, dict) and all(isinstance(value, str) for value in sent.values())
    if not is_form:
        raise InputError("wanted an object with texts")
    return dict(sent)


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
    # And by the page's: a proxy may put its own name for the one that it was asked by.
    headers = (request.headers.get(name) for name in ("origin", "referer"))
    pages = [_host_of(header) for header in headers if header is not None]
    sender = request.client.host if request.client else None
    names = [sender, _host_of(str(request.url)), *pages]
    if not all(name in LOCAL_HOSTS for name in names):
        raise SignInError("only this machine's user can submit to a store on this machine")
    return account_of_machine()


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _account_or_none(request: "Request") -> Account | None:
    try:
        return account_of(request)
    except SignInError:
        return None


def _answered(do: Callable[[], Any]) -> "Response":
    """Return what `do` returns as JSON; a refusal is an answer, with its reason."""
    from fastapi import Response

    try:
        content, status = plain_json(do()), 200
    except SignInError as error:
        content, status = plain_json({"error": shown(str(error), LONGEST_REASON)}), 403
    except CMCError as error:
        content, status = plain_json({"error": shown(str(error), LONGEST_REASON)}), 400
    headers = {"Cache-Control": "no-store"}
    return Response(content, status, headers, media_type="application/json")
