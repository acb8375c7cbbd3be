"""Who may do what on the loopback Hub: accounts by token, rights by repository."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub_repos import Refusal, Repo

LEVELS = ("none", "read", "pr", "write")
"""`pr` may open pull requests; each level includes those before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one token stands for."""

    user: str
    rights: Mapping[str, str] = field(default_factory=lambda: {"*": "write"})
    """Level by repository id; patterns as in `org/*`, the last that fits counts."""
    orgs: tuple[str, ...] = ()

    def level(self, repo_id: str) -> str:
        fitting = [level for pattern, level in self.rights.items() if _fits(repo_id, pattern)]
        return fitting[-1] if fitting else "none"


ANONYMOUS = Account(user="", rights={})


def signed_in(account: Account) -> Account:
    """Raise 401 without a token."""
    if not account.user:
        raise Refusal(401, "Invalid username or password.")
    return account


def require_read(account: Account, repo: Repo) -> None:
    """Raise 404 (401 without a token) where the repository is private to others."""
    if repo.private and not _reaches(account, repo.repo_id, "read"):
        status = 404 if account.user else 401
        raise Refusal(status, "Repository not found", "RepoNotFound")
    if repo.disabled:
        raise Refusal(403, "Access to this resource is disabled.")


def require_files(account: Account, repo: Repo) -> None:
    """Raise 403 GatedRepo where the account was not granted access to the files."""
    require_read(account, repo)
    may = account.user in repo.granted or _reaches(account, repo.repo_id, "write")
    if repo.gated and not may:
        status = 403 if account.user else 401
        raise Refusal(
            status, f"Access to {repo.kind} {repo.repo_id} is restricted; ask for it", "GatedRepo"
        )


def require_write(
    account: Account, repo: Repo, branch: str = "main", *, pull: bool = False
) -> None:
    """Raise 403 (401 without a token) where the account may not commit."""
    require_read(account, repo)
    signed_in(account)
    opened_by = repo.discussions.get(int(branch[8:]), {}) if branch.startswith("refs/pr/") else {}
    own = opened_by.get("author", {}).get("name") == account.user
    if not _reaches(account, repo.repo_id, "pr" if pull or own else "write"):
        raise Refusal(403, f"Forbidden: {account.user} has no write access to {repo.repo_id}")


def _reaches(account: Account, repo_id: str, level: str) -> bool:
    return LEVELS.index(account.level(repo_id)) >= LEVELS.index(level)


def _fits(repo_id: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(repo_id, pattern)
