"""Discussions and pull requests of the loopback Hub."""

import json
from typing import Any

from hub_accounts import require_write
from hub_http import Answer, Ask, Route, answer, route
from hub_repos import Commit, Refusal, Repo, now
from hub_state import HubState


def open_pull_request(
    hub: HubState, repo: Repo, base: str, author: str, body: bytes
) -> tuple[int, Commit]:
    """Commit to a new `refs/pr/N` that starts from a branch; return N and the commit."""
    with repo.lock:
        start = repo.commit_at(base)
        number = len(repo.discussions) + 1
        made = repo.commit(f"refs/pr/{number}", body, author=author, lfs=hub.lfs, parent=start)
        header = json.loads(body.splitlines()[0])["value"]
        talk = _new(repo, header["summary"], author, pull=True)
        talk["changes"] = {"base": f"refs/heads/{base}"}
        _event(talk, author, "commit", {"subject": made.title, "oid": made.sha})
    return number, made


def listing(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    wanted = {key: values[0] for key, values in ask.query.items()}
    found = [
        talk
        for talk in repo.discussions.values()
        if wanted.get("author", talk["author"]["name"]) == talk["author"]["name"]
        and wanted.get("status", "all") in ("all", "closed", talk["status"])
        and wanted.get("type", "all") in ("all", _type(talk))
    ]
    return answer({"discussions": found, "count": len(found), "start": 0})


def create(hub: HubState, ask: Ask) -> Answer:
    repo, asked = hub.asked(ask), ask.json()
    require_write(ask.account, repo, pull=True)
    with repo.lock:
        pull = bool(asked.get("pullRequest"))
        talk = _new(repo, asked["title"], ask.account.user, pull=pull)
        if pull:
            talk["status"], talk["changes"] = "draft", {"base": "refs/heads/main"}
            repo.branches[f"refs/pr/{talk['num']}"] = repo.commit_at("main")
        _comment(talk, ask.account.user, asked.get("description", ""))
    return answer({"num": talk["num"], "url": f"{ask.endpoint}{ask.path}/{talk['num']}"})


def details(hub: HubState, ask: Ask) -> Answer:
    return answer(_talk(hub.asked(ask), ask))


def comment(hub: HubState, ask: Ask) -> Answer:
    talk = _talk(hub.asked(ask), ask)
    return answer({"newMessage": _comment(talk, ask.account.user, ask.json()["comment"])})


def status(hub: HubState, ask: Ask) -> Answer:
    talk = _talk(hub.asked(ask), ask)
    talk["status"] = ask.json()["status"]
    event = _event(talk, ask.account.user, "status-change", {"status": talk["status"]})
    return answer({"newStatus": event})


def merge(hub: HubState, ask: Ask) -> Answer:
    """Move the base branch to the pull request's head; both must have one history."""
    repo = hub.asked(ask)
    require_write(ask.account, repo)
    talk = _talk(repo, ask)
    with repo.lock:
        base = talk["changes"]["base"].removeprefix("refs/heads/")
        head = repo.commit_at(f"refs/pr/{talk['num']}")
        if repo.commit_at(base).sha not in {c.sha for c in repo.history(head.sha)}:
            raise Refusal(409, f"{base} has moved since the pull request was opened")
        repo.branches[base] = head
        talk["status"], talk["changes"]["mergeCommitId"] = "merged", head.sha
        _event(talk, ask.account.user, "status-change", {"status": "merged"})
    return answer({"success": True})


def refs(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)

    def shown(names: dict[str, Commit], folder: str) -> list[dict[str, str]]:
        return [
            {"name": name, "ref": f"{folder}{name}", "targetCommit": commit.sha}
            for name, commit in list(names.items())
            if name.startswith("refs/pr/") == (folder == "")
        ]

    found: dict[str, Any] = {
        "branches": shown(repo.branches, "refs/heads/"),
        "tags": shown(repo.tags, "refs/tags/"),
        "converts": [],
    }
    if ask.has("include_prs"):
        found["pullRequests"] = shown(repo.branches, "")
    return answer(found)


def commits(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    return answer(
        [
            {
                "id": commit.sha,
                "title": commit.title,
                "message": commit.message,
                "date": commit.at,
                "authors": [{"user": commit.author}],
            }
            for commit in repo.history(ask.rev)
        ]
    )


def make_ref(hub: HubState, ask: Ask) -> Answer:
    """Create a branch at `startingPoint`, or the tag that the body names at `rev`."""
    repo, asked = hub.asked(ask), ask.json()
    require_write(ask.account, repo)
    is_branch = ask.parts["ref"] == "branch"
    there, new = (repo.branches, ask.rev) if is_branch else (repo.tags, asked["tag"])
    start = asked.get("startingPoint", "main") if is_branch else ask.rev
    with repo.lock:
        if new in there:
            raise Refusal(409, f"{new} exists")
        there[new] = repo.commit_at(start)
    return answer({})


def delete_ref(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    require_write(ask.account, repo)
    there = repo.branches if ask.parts["ref"] == "branch" else repo.tags
    if there.pop(ask.rev, None) is None:
        raise Refusal(404, f"Invalid rev id: {ask.rev}", "RevisionNotFound")
    return answer({})


def squash(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    require_write(ask.account, repo)
    repo.squash(ask.rev)
    return answer({})


def _talk(repo: Repo, ask: Ask) -> dict[str, Any]:
    number = int(ask.parts["number"])
    if number not in repo.discussions:
        raise Refusal(404, f"no discussion {number} in {repo.repo_id}")
    return repo.discussions[number]


def _type(talk: dict[str, Any]) -> str:
    return "pull_request" if talk["isPullRequest"] else "discussion"


def _new(repo: Repo, title: str, author: str, *, pull: bool) -> dict[str, Any]:
    number = len(repo.discussions) + 1
    repo.discussions[number] = {
        "title": title,
        "num": number,
        "author": {"name": author},
        "createdAt": now(),
        "status": "open",
        "isPullRequest": pull,
        "repo": {"name": repo.repo_id, "type": repo.kind[:-1]},
        "events": [],
        "filesWithConflicts": [],
    }
    return repo.discussions[number]


def _comment(talk: dict[str, Any], author: str, text: str) -> dict[str, Any]:
    data = {"edited": False, "hidden": False, "latest": {"raw": text}}
    return _event(talk, author, "comment", data)


def _event(talk: dict[str, Any], author: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    event = {
        "id": f"{talk['num']}-{len(talk['events'])}",
        "type": kind,
        "createdAt": now(),
        "author": {"name": author},
        "data": data,
    }
    talk["events"].append(event)
    return event


_API = "/api/{kind}/{ns}/{name}"
ROUTES: tuple[Route, ...] = (
    route("GET", f"{_API}/discussions", "discussions", listing),
    route("POST", f"{_API}/discussions", "discussions", create),
    route("GET", f"{_API}/discussions/{{number}}", "discussions", details),
    route("POST", f"{_API}/discussions/{{number}}/comment", "discussions", comment),
    route("POST", f"{_API}/discussions/{{number}}/status", "discussions", status),
    route("POST", f"{_API}/discussions/{{number}}/merge", "discussions", merge),
    route("GET", f"{_API}/refs", "refs", refs),
    route("GET", f"{_API}/commits/{{rev}}", "commits", commits),
    route("POST", f"{_API}/super-squash/{{rev}}", "squash", squash),
    route("POST", f"{_API}/{{ref}}/{{rev}}", "refs", make_ref),
    route("DELETE", f"{_API}/{{ref}}/{{rev}}", "refs", delete_ref),
)
