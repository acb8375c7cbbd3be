"""Files on the loopback Hub: preupload, commits, LFS, trees, resolving."""

from typing import Any
from urllib.parse import parse_qs, unquote

from hub_accounts import require_files, require_write
from hub_http import Answer, Ask, Route, answer, route
from hub_repos import Refusal, Repo
from hub_state import HubState
from hub_talk import open_pull_request
from hub_trees import Blob, Folder, find, walk

PAGE = 1000


def preupload(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    require_write(ask.account, repo, ask.rev, pull=ask.has("create_pr"))
    commit = repo.commit_at(ask.rev)
    files = []
    for file in ask.json()["files"]:
        there = find(commit.root, file["path"])
        found = {"oid": there.etag} if isinstance(there, Blob) else {}
        mode = repo.upload_mode(commit, file["path"], file["size"])
        files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, **found})
    return answer({"files": files})


def commit_files(hub: HubState, ask: Ask) -> Answer:
    repo, branch = hub.asked(ask), ask.rev
    pull = ask.has("create_pr")
    require_write(ask.account, repo, branch, pull=pull)
    more = {}
    author = ask.account.user
    if pull:
        number, made = open_pull_request(hub, repo, branch, author, ask.body)
        more["pullRequestUrl"] = f"{_url(ask, repo)}/discussions/{number}"
    else:
        if branch not in repo.branches:
            raise Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        made = repo.commit(branch, ask.body, author=author, lfs=hub.lfs)
    return answer(
        {
            "success": True,
            "commitOid": made.sha,
            "commitUrl": f"{_url(ask, repo)}/commit/{made.sha}",
            "hookOutput": "",
            **more,
        }
    )


def lfs_batch(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    require_write(ask.account, repo, pull=True)
    objects: list[dict[str, Any]] = []
    for item in ask.json()["objects"]:
        actions = {
            "upload": {"href": f"{ask.endpoint}/_lfs/{item['oid']}"},
            "verify": {"href": f"{ask.endpoint}/_lfs/{item['oid']}/verify"},
        }
        there = {} if hub.lfs.has(item["oid"]) else {"actions": actions}
        objects.append({"oid": item["oid"], "size": item["size"], **there})
    return answer({"transfer": "basic", "objects": objects})


def lfs_put(hub: HubState, ask: Ask) -> Answer:
    hub.lfs.keep(ask.parts["oid"], [ask.body])
    return Answer()


def lfs_verify(hub: HubState, ask: Ask) -> Answer:
    oid, wanted = ask.parts["oid"], ask.json()
    if not hub.lfs.has(oid) or hub.lfs.path(oid).stat().st_size != wanted["size"]:
        raise Refusal(404, f"LFS object {oid} of {wanted['size']} bytes is not here")
    return Answer()


def tree(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    commit, prefix = repo.commit_at(ask.rev), unquote(ask.parts.get("path", "")).strip("/")
    folder = find(commit.root, prefix)
    if not isinstance(folder, Folder):
        raise Refusal(404, f"{prefix} does not exist on {ask.rev!r}", "EntryNotFound")
    entries = list(walk(folder, prefix, recursive=ask.has("recursive")))
    start, page = int(ask.query.get("cursor", ["0"])[0]), 50 if ask.has("expand") else PAGE
    more: dict[str, str] = {}
    if start + page < len(entries):
        rest = "&".join(f"{flag}=true" for flag in ("recursive", "expand") if ask.has(flag))
        url = f"{ask.endpoint}{ask.path}?{rest}&cursor={start + page}"
        more["Link"] = f'<{url}>; rel="next"'
    shown = entries[start : start + page]
    return answer(
        [_entry(repo, path, entry, expand=ask.has("expand")) for path, entry in shown],
        headers=more,
    )


def paths_info(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    form = parse_qs(ask.body.decode())
    expand = form.get("expand", ["false"])[0].lower() in ("1", "true")
    root = repo.commit_at(ask.rev).root
    found = [(path, find(root, path)) for path in form.get("paths", [])]
    return answer(
        [_entry(repo, path, entry, expand=expand) for path, entry in found if entry is not None]
    )


def resolve(hub: HubState, ask: Ask) -> Answer:
    repo = hub.asked(ask)
    require_files(ask.account, repo)
    commit, blob = repo.file_at(ask.rev, unquote(ask.parts["path"]))
    headers = {
        "ETag": f'"{blob.etag}"',
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
    }
    if hub.names_commits:
        headers["X-Repo-Commit"] = commit.sha
    if blob.sha256:
        headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
    start, stop, status = 0, blob.size, 200
    if "range" in ask.headers:
        start, stop = _range(ask.headers["range"], blob.size)
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
        status = 206
    if isinstance(blob.content, bytes):
        return Answer(blob.content[start:stop], status, headers)
    return Answer(b"", status, headers, blob.content, start, stop - start)


def _range(text: str, size: int) -> tuple[int, int]:
    first, _, last = text.removeprefix("bytes=").partition("-")
    start, stop = (
        (int(first), int(last) + 1 if last else size) if first else (size - int(last), size)
    )
    if not 0 <= start < size or stop <= start:
        raise Refusal(416, f"range {text!r} of {size} bytes")
    return start, min(stop, size)


def _entry(repo: Repo, path: str, entry: Blob | Folder, *, expand: bool) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if expand:
        commit = repo.commits[entry.commit]
        more["lastCommit"] = {"id": commit.sha, "title": commit.title, "date": commit.at}
    if isinstance(entry, Folder):
        return {"type": "directory", "oid": entry.oid, "size": 0, "path": path, **more}
    if expand:
        more["securityFileStatus"] = {
            "status": "safe",
            "avScan": {"virusFound": False},
            "pickleImportScan": None,
        }
    if entry.sha256:
        more["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": 134}
    return {"type": "file", "oid": entry.oid, "size": entry.size, "path": path, **more}


def _url(ask: Ask, repo: Repo) -> str:
    return f"{ask.endpoint}/{'' if repo.kind == 'models' else repo.kind + '/'}{repo.repo_id}"


_API = "/api/{kind}/{ns}/{name}"
_GIT = "/{prefix}{ns}/{name}"
ROUTES: tuple[Route, ...] = (
    route("POST", f"{_API}/preupload/{{rev}}", "preupload", preupload),
    route("POST", f"{_API}/commit/{{rev}}", "commit", commit_files),
    route("GET", f"{_API}/tree/{{rev}}", "tree", tree),
    route("GET", f"{_API}/tree/{{rev}}/{{path*}}", "tree", tree),
    route("POST", f"{_API}/paths-info/{{rev}}", "paths-info", paths_info),
    route("POST", f"{_GIT}.git/info/lfs/objects/batch", "lfs-batch", lfs_batch),
    route("PUT", "/_lfs/{oid}", "lfs-put", lfs_put),
    route("POST", "/_lfs/{oid}/verify", "lfs-verify", lfs_verify),
    route("HEAD", f"{_GIT}/resolve/{{rev}}/{{path*}}", "resolve", resolve),
    route("GET", f"{_GIT}/resolve/{{rev}}/{{path*}}", "resolve", resolve),
)
