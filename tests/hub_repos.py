"""Repositories as the loopback Hub keeps them; every commit's tree stays readable."""

import base64
import fnmatch
import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub_trees import Blob, Folder, find, lfs_blob, plain_blob, put

LFS_SUFFIXES = (
    *("parquet", "arrow", "safetensors", "bin", "pt", "pth", "ckpt", "onnx", "h5", "msgpack"),
    *("gguf", "npy", "npz", "pkl", "pickle", "zip", "gz", "tar", "zst", "7z", "wasm", "mp4"),
)
LFS_BYTES = 10_000_000
GITATTRIBUTES = "".join(f"*.{s} filter=lfs diff=lfs merge=lfs -text\n" for s in LFS_SUFFIXES)


class Refusal(Exception):
    """An answer that is not a success; `code` is the Hub's X-Error-Code."""

    def __init__(self, status: int, message: str, code: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.more = status, message, code, more


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    sha: str
    parent: "Commit | None"
    title: str
    message: str
    author: str
    at: str
    root: Folder


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Repo:
    """One repository with its branches, tags and discussions."""

    def __init__(self, kind: str, repo_id: str, *, private: bool, owner: str) -> None:
        self.kind, self.repo_id, self.private, self.owner = kind, repo_id, private, owner
        self.gated: bool | str = False
        self.disabled = False
        self.granted: set[str] = set()
        self.sdk = ""
        self.created_at = now()
        self.lock = threading.RLock()
        self.commits: dict[str, Commit] = {}
        self.branches: dict[str, Commit] = {}
        self.tags: dict[str, Commit] = {}
        self.discussions: dict[int, dict[str, Any]] = {}
        sha = _sha(None, repo_id.encode())
        root = Folder(sha, {".gitattributes": plain_blob(GITATTRIBUTES.encode(), sha)})
        self.branches["main"] = self._add(sha, None, root, title="initial commit", author=owner)

    def commit_at(self, revision: str) -> Commit:
        """Return the commit of a branch, tag, `refs/…` or sha (7 digits or more).

        Raises:
            Refusal: 404, RevisionNotFound.
        """
        name = revision.removeprefix("refs/heads/")
        found = self.branches.get(name) or self.tags.get(name) or self.commits.get(name)
        if found is None and 7 <= len(name) < 40:
            found = next((c for sha, c in self.commits.items() if sha.startswith(name)), None)
        if found is None:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found

    def file_at(self, revision: str, path: str) -> tuple[Commit, Blob]:
        commit = self.commit_at(revision)
        blob = find(commit.root, path)
        if not isinstance(blob, Blob):
            raise Refusal(404, "Entry not found", "EntryNotFound")
        return commit, blob

    def upload_mode(self, commit: Commit, path: str, size: int) -> str:
        if size >= LFS_BYTES:
            return "lfs"
        attributes = find(commit.root, ".gitattributes")
        lines = attributes.read().decode().splitlines() if isinstance(attributes, Blob) else []
        patterns = [line.split()[0] for line in lines if "filter=lfs" in line]
        name = path.rpartition("/")[2]
        hit = any(fnmatch.fnmatch(name, p) or fnmatch.fnmatch(path, p) for p in patterns)
        return "lfs" if hit else "regular"

    def commit(
        self,
        branch: str,
        body: bytes,
        *,
        author: str,
        lfs: "LfsFiles",
        parent: Commit | None = None,
    ) -> Commit:
        """Apply an ndjson commit to a branch, all of it or nothing.

        Args:
            branch: name without `refs/heads/`; made from `parent` where it does not exist.

        Raises:
            Refusal: 412 for a parent that is not the head, 404 for a file to delete that is not
                there, 400 for a body that cannot be read or an LFS object that was never sent.
        """
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        if not lines or lines[0].get("key") != "header":
            raise Refusal(400, "the first line of a commit is its header")
        header = lines[0]["value"]
        with self.lock:
            base = parent or self.commit_at(branch)
            wanted = header.get("parentCommit")
            if wanted and not base.sha.startswith(wanted):
                raise Refusal(412, "A commit has happened since. Please refresh and try again.")
            sha = _sha(base, body)
            root = Folder(sha, dict(base.root.entries))
            for line in lines[1:]:
                _apply(root, line["key"], line["value"], lfs)
            made = self._add(
                sha,
                base,
                root,
                title=header["summary"],
                message=header.get("description", ""),
                author=author,
            )
            self.branches[branch] = made
            return made

    def history(self, revision: str) -> Iterator[Commit]:
        commit: Commit | None = self.commit_at(revision)
        while commit is not None:
            yield commit
            commit = commit.parent

    def squash(self, branch: str) -> None:
        with self.lock:
            head = self.commit_at(branch)
            sha = _sha(None, head.sha.encode())
            title = f"Super-squash branch '{branch}'"
            made = self._add(sha, None, head.root, title=title, author=self.owner)
            self.branches[branch] = made

    def _add(
        self,
        sha: str,
        parent: Commit | None,
        root: Folder,
        *,
        title: str,
        author: str,
        message: str = "",
    ) -> Commit:
        made = Commit(
            sha=sha, parent=parent, title=title, message=message, author=author, at=now(), root=root
        )
        self.commits[sha] = made
        return made


class LfsFiles:
    """LFS objects by their sha256, as files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        return self.folder / sha256

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def keep(self, sha256: str, parts: Iterable[bytes]) -> None:
        """Write an object whole, or refuse it when its bytes are not those of its name."""
        digest = hashlib.sha256()
        temporary = self.folder / f".{sha256}.{threading.get_ident()}"
        with temporary.open("wb") as file:
            for part in parts:
                digest.update(part)
                file.write(part)
        if digest.hexdigest() != sha256:
            temporary.unlink()
            raise Refusal(400, f"wanted an object of sha256 {sha256}, got {digest.hexdigest()}")
        temporary.replace(self.path(sha256))


def _sha(parent: Commit | None, body: bytes) -> str:
    salt = f"{parent.sha if parent else ''} {datetime.now(UTC).timestamp()}\n".encode()
    return hashlib.sha1(salt + body).hexdigest()  # noqa: S324 - git's own


def _apply(root: Folder, key: str, value: dict[str, Any], lfs: LfsFiles) -> None:
    path: str = value["path"].strip("/")
    if any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise Refusal(400, f"invalid path in a commit: {value['path']!r}")
    if key == "file":
        put(root, path, plain_blob(base64.b64decode(value["content"]), root.commit))
    elif key == "lfsFile":
        if not lfs.has(value["oid"]):
            raise Refusal(400, f"LFS object {value['oid']} was not uploaded")
        put(root, path, lfs_blob(value["oid"], lfs.path(value["oid"]), root.commit))
    elif key in ("deletedFile", "deletedFolder"):
        wanted = Blob if key == "deletedFile" else Folder
        if not isinstance(find(root, path), wanted):
            raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
        put(root, path, None)
    else:
        raise Refusal(400, f"unknown operation {key!r} in a commit")
