"""All that the loopback Hub holds."""

import threading
from pathlib import Path
from typing import Any

from hub_accounts import Account, require_read
from hub_faults import CallLog, Faults
from hub_http import KINDS, Ask
from hub_repos import LfsFiles, Refusal, Repo

OWNER_TOKEN = "loopback-owner-token"


class HubState:
    """Repositories, accounts, jobs; faults and the log of calls."""

    def __init__(self, folder: Path) -> None:
        self.lfs = LfsFiles(folder)
        self.repos: dict[tuple[str, str], Repo] = {}
        self.accounts: dict[str, Account] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.webhooks: list[dict[str, Any]] = []
        self.faults = Faults()
        self.calls = CallLog()
        self.latency_seconds = 0.0
        """Added to every call."""
        self.commit_latency_seconds = 0.0
        """Added to commits, after they are made and before they are answered."""
        self.hang_seconds = 2.0
        """How long a call hangs before the line is cut."""
        self.names_commits = True
        """Whether a file's answer names its commit, as the Hub's does; a mirror's may not."""
        self.names_heads = True
        """Whether a repository's facts name the newest commit."""
        self.lock = threading.RLock()
        self.add_account(OWNER_TOKEN, "tester", orgs=("acme",))

    def add_account(
        self,
        token: str,
        user: str,
        rights: dict[str, str] | None = None,
        orgs: tuple[str, ...] = (),
    ) -> str:
        """Let a token stand for a user; without `rights` it may write everywhere."""
        self.accounts[token] = Account(
            user=user, rights={"*": "write"} if rights is None else rights, orgs=orgs
        )
        return token

    def repo(self, kind: str, repo_id: str) -> Repo:
        """Return a repository; `kind` is one of models, datasets, spaces.

        Raises:
            Refusal: 404, RepoNotFound.
        """
        found = self.repos.get((kind, repo_id))
        if found is None:
            raise Refusal(404, "Repository not found", "RepoNotFound")
        return found

    def asked(self, ask: Ask) -> Repo:
        """Return the repository that an address names, if the account may know of it."""
        repo = self.repo(ask.kind, ask.repo_id)
        require_read(ask.account, repo)
        return repo

    def create(self, kind: str, repo_id: str, *, owner: str, private: bool = False) -> Repo:
        """Add a repository.

        Raises:
            Refusal: 409 when it is there.
        """
        if kind not in KINDS:
            raise Refusal(400, f"no kind of repository: {kind!r}")
        with self.lock:
            if (kind, repo_id) in self.repos:
                raise Refusal(409, f"You already created this {kind[:-1]} repo: {repo_id}")
            made = Repo(kind, repo_id, private=private, owner=owner)
            self.repos[kind, repo_id] = made
            return made
