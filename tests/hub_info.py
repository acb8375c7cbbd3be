"""What the loopback Hub tells about repositories and accounts."""

import contextlib
import json
import struct
from typing import Any

import yaml
from hub_accounts import require_files, require_write, signed_in
from hub_http import Answer, Ask, Route, answer, route
from hub_repos import Commit, Refusal, Repo
from hub_state import HubState
from hub_trees import Blob, find, walk


def harnesses(hub: HubState, ask: Ask) -> Answer:
    del hub, ask
    return answer({"standardEnvVars": [], "harnesses": {}})


def whoami(hub: HubState, ask: Ask) -> Answer:
    del hub
    account = signed_in(ask.account)
    role = "write" if "write" in account.rights.values() else "read"
    return answer(
        {
            "type": "user",
            "id": account.user,
            "name": account.user,
            "fullname": account.user.title(),
            "email": f"{account.user}@example.org",
            "avatarUrl": f"{ask.endpoint}/avatars/{account.user}.svg",
            "isPro": False,
            "orgs": [{"name": org, "type": "org"} for org in account.orgs],
            "auth": {"type": "access_token", "accessToken": {"displayName": "x", "role": role}},
        }
    )


def create_repo(hub: HubState, ask: Ask) -> Answer:
    account, asked = signed_in(ask.account), ask.json()
    repo_id = f"{asked.get('organization') or account.user}/{asked['name']}"
    kind = f"{asked.get('type') or 'model'}s"
    url = f"{ask.endpoint}/{'' if kind == 'models' else kind + '/'}{repo_id}"
    if (kind, repo_id) in hub.repos:
        raise Refusal(409, f"You already created this {kind[:-1]} repo: {repo_id}", url=url)
    if account.level(repo_id) != "write":
        raise Refusal(403, f"Forbidden: {account.user} may not create {repo_id}")
    private = asked.get("visibility") == "private" or bool(asked.get("private"))
    hub.create(kind, repo_id, owner=account.user, private=private).sdk = asked.get("sdk", "")
    return answer({"url": url, "name": repo_id, "id": repo_id})


def delete_repo(hub: HubState, ask: Ask) -> Answer:
    asked = ask.json()
    repo_id = f"{asked.get('organization') or ask.account.user}/{asked['name']}"
    repo = hub.repo(f"{asked.get('type') or 'model'}s", repo_id)
    require_write(ask.account, repo)
    del hub.repos[repo.kind, repo_id]
    return answer({})


def info(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    commit = repo.commit_at(ask.rev)
    told = {"id": repo.repo_id, **_told(repo, commit)}
    if not hub.names_heads:
        del told["sha"]
    expand = ask.query.get("expand")
    if expand:
        keys = {"id", *expand}
        told = {key: value for key, value in told.items() if key in keys}
    if not expand or "siblings" in expand:
        told["siblings"] = _siblings(commit, blobs=ask.has("blobs"))
    if ask.has("securityStatus"):
        told["securityRepoStatus"] = {"scansDone": True, "filesWithIssues": []}
    return answer(told)


def listing(hub: HubState, ask: Ask) -> Answer:
    author, search = (ask.query.get(key, [""])[0] for key in ("author", "search"))
    return answer(
        [
            {"id": repo.repo_id, **_told(repo, repo.commit_at("main"))}
            for (there, _), repo in sorted(hub.repos.items(), key=lambda item: item[0])
            if there == ask.kind
            and repo.repo_id.startswith(f"{author}/" if author else "")
            and search.lower() in repo.repo_id.lower()
            and (not repo.private or ask.account.level(repo.repo_id) != "none")
        ]
    )


def settings(hub: HubState, ask: Ask) -> Answer:
    repo, asked = hub.asked(ask), ask.json()
    require_write(ask.account, repo)
    repo.gated = asked.get("gated", repo.gated)
    if "visibility" in asked or "private" in asked:
        repo.private = asked.get("visibility") == "private" or bool(asked.get("private"))
    return answer({"private": repo.private, "gated": repo.gated})


def auth_check(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    if ask.parts.get("what") == "write":
        require_write(ask.account, repo)
    else:
        require_files(ask.account, repo)
    return answer({})


def validate_yaml(hub: HubState, ask: Ask) -> Answer:
    del hub
    text = ask.json().get("content", "")
    head = text.split("---", 2)[1] if text.startswith("---") and text.count("---") > 1 else ""
    try:
        yaml.safe_load(head)
    except yaml.YAMLError as error:
        return answer({"errors": [{"message": str(error)}], "warnings": []}, 400)
    return answer({"errors": [], "warnings": []})


def _siblings(commit: Commit, *, blobs: bool) -> list[dict[str, Any]]:
    shown = []
    for path, blob in walk(commit.root, "", recursive=True):
        if isinstance(blob, Blob):
            more: dict[str, Any] = {"size": blob.size, "blobId": blob.oid} if blobs else {}
            if blobs and blob.sha256:
                more["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": 134}
            shown.append({"rfilename": path, **more})
    return shown


def _told(repo: Repo, commit: Commit) -> dict[str, Any]:
    card = _card(commit)
    tags = [str(tag) for tag in card.get("tags", [])]
    told: dict[str, Any] = {
        "sha": commit.sha,
        "author": repo.repo_id.split("/")[0],
        "private": repo.private,
        "gated": repo.gated,
        "disabled": repo.disabled,
        "createdAt": repo.created_at,
        "lastModified": commit.at,
        "downloads": 0,
        "likes": 0,
        "tags": tags + [f"license:{card[key]}" for key in ("license",) if key in card],
        "cardData": card,
    }
    if repo.kind == "models":
        told |= _model(commit, card)
    if repo.kind == "spaces":
        told |= {"sdk": repo.sdk, "runtime": {"stage": "RUNNING", "hardware": {}}}
    return told


def _model(commit: Commit, card: dict[str, Any]) -> dict[str, Any]:
    """Return what the Hub reads out of a model's own files."""
    config, index = (_json(commit, name) for name in ("config.json", "model_index.json"))
    keys = ("architectures", "model_type", "auto_map")
    shown: dict[str, Any] = {key: config[key] for key in keys if key in config}
    if index:
        shown["diffusers"] = {"_class_name": index.get("_class_name")}
    library = "diffusers" if index else "transformers" if config else None
    counts: dict[str, int] = {}
    for path, blob in walk(commit.root, "", recursive=True):
        if isinstance(blob, Blob) and path.endswith(".safetensors"):
            _count_parameters(blob, counts)
    return {
        "config": shown,
        "library_name": card.get("library_name", library),
        "pipeline_tag": card.get("pipeline_tag"),
        "safetensors": {"parameters": counts, "total": sum(counts.values())} if counts else None,
    }


def _count_parameters(blob: Blob, counts: dict[str, int]) -> None:
    content = blob.read()
    wrong = (ValueError, struct.error, KeyError, AttributeError, TypeError, RecursionError)
    with contextlib.suppress(*wrong):
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        for name, tensor in header.items():
            if name != "__metadata__":
                size = 1
                for side in tensor["shape"]:
                    size *= side
                counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + size


def _json(commit: Commit, name: str) -> dict[str, Any]:
    blob = find(commit.root, name)
    with contextlib.suppress(ValueError):
        loaded = json.loads(blob.read()) if isinstance(blob, Blob) else {}
        return loaded if isinstance(loaded, dict) else {}
    return {}


def _card(commit: Commit) -> dict[str, Any]:
    readme = find(commit.root, "README.md")
    text = readme.read().decode(errors="replace") if isinstance(readme, Blob) else ""
    if not text.startswith("---") or text.count("---") < 2:
        return {}
    with contextlib.suppress(yaml.YAMLError):
        card = yaml.safe_load(text.split("---", 2)[1])
        # Dates become datetimes in YAML, which JSON does not know.
        return json.loads(json.dumps(card, default=str)) if isinstance(card, dict) else {}
    return {}


_API = "/api/{kind}/{ns}/{name}"
ROUTES: tuple[Route, ...] = (
    route("GET", "/api/agent-harnesses", "agent-harnesses", harnesses),
    route("GET", "/api/whoami-v2", "whoami", whoami),
    route("POST", "/api/repos/create", "create-repo", create_repo),
    route("DELETE", "/api/repos/delete", "delete-repo", delete_repo),
    route("POST", "/api/validate-yaml", "validate-yaml", validate_yaml),
    route("GET", "/api/{kind}", "list-repos", listing),
    route("GET", f"{_API}", "info", info),
    route("GET", f"{_API}/revision/{{rev}}", "info", info),
    route("GET", f"{_API}/auth-check", "auth-check", auth_check),
    route("GET", f"{_API}/auth-check/{{what}}", "auth-check", auth_check),
    route("PUT", f"{_API}/settings", "settings", settings),
)
