"""Jobs and webhooks of the loopback Hub: recorded, never run."""

from typing import Any

from hub_accounts import signed_in
from hub_http import Answer, Ask, Route, answer, route
from hub_repos import Refusal, now
from hub_state import HubState


def run_job(hub: HubState, ask: Ask) -> Answer:
    """Record a job; nothing is run."""
    account, ns = signed_in(ask.account), ask.parts["ns"]
    if ns != account.user and ns not in account.orgs:
        raise Refusal(403, f"Forbidden: {account.user} may not run jobs as {ns}")
    with hub.lock:
        job = {
            **ask.json(),
            "id": f"{len(hub.jobs) + 1:024x}",
            "createdAt": now(),
            "owner": {"id": ns, "name": ns, "type": "user" if ns == account.user else "org"},
            "status": {"stage": "SCHEDULING", "message": None},
        }
        hub.jobs[job["id"]] = job
    return answer(_shown_job(job))


def jobs(hub: HubState, ask: Ask) -> Answer:
    signed_in(ask.account)
    wanted = ask.parts["ns"]
    return answer([_shown_job(job) for job in hub.jobs.values() if job["owner"]["name"] == wanted])


def job(hub: HubState, ask: Ask) -> Answer:
    signed_in(ask.account)
    found = hub.jobs.get(ask.parts["number"])
    if found is None or found["owner"]["name"] != ask.parts["ns"]:
        raise Refusal(404, f"no job {ask.parts['number']} of {ask.parts['ns']}")
    if ask.method == "POST":
        found["status"] = {"stage": "CANCELED", "message": None}
    return answer(_shown_job(found))


def webhook(hub: HubState, ask: Ask) -> Answer:
    signed_in(ask.account)
    made = {"id": f"{len(hub.webhooks) + 1}", "disabled": False, **ask.json()}
    hub.webhooks.append(made)
    return answer({"webhook": made})


def _shown_job(job: dict[str, Any]) -> dict[str, Any]:
    # The values of secrets are never told again; the names are.
    return {**job, "secrets": dict.fromkeys(job.get("secrets", {}), "")}


ROUTES: tuple[Route, ...] = (
    route("POST", "/api/settings/webhooks", "webhooks", webhook),
    route("POST", "/api/jobs/{ns}", "jobs", run_job),
    route("GET", "/api/jobs/{ns}", "jobs", jobs),
    route("GET", "/api/jobs/{ns}/{number}", "jobs", job),
    route("POST", "/api/jobs/{ns}/{number}/cancel", "jobs", job),
)
