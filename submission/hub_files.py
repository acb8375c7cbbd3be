"""Files of a Hub dataset: read by the resolver, one call a file, and committed."""

import contextlib
import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from protocol.errors import HubError, LedgerError

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi

T = TypeVar("T")
PASSING = frozenset({408, 409, 412, 429, 500, 502, 503, 504})
"""Answers that may pass: a moved head, another commit, too many calls, an outage."""
READERS = 8
ASKED = 8
"""How often a file is asked for: half a minute, where a change is tried for minutes."""


class Found(NamedTuple):
    """A file, or its absence, at a commit."""

    content: bytes | None
    commit: str
    """40 hex digits; empty where the Hub did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses between tries: each drawn below a bound that doubles up to a limit."""

    first_seconds: float = 0.5
    limit_seconds: float = 20.0
    tries: int = 30

    def pauses(self) -> Iterator[float]:
        """Yield how long to wait after each try but the last."""
        limit = self.first_seconds
        for _ in range(self.tries - 1):
            yield random.uniform(0, limit)
            limit = min(2 * limit, self.limit_seconds)


class Overtaken(HubError):
    """What was to be committed is there by now, from somebody else; looking again tells."""


class HubFiles:
    """The files of one dataset repository."""

    def __init__(
        self, repo_id: str, *, endpoint: str, token: str | None, timeout: float, backoff: Backoff
    ) -> None:
        """Keep the address; nothing is asked yet."""
        self.repo_id = repo_id
        self._endpoint, self._token = endpoint, token
        self._timeout, self._backoff = timeout, backoff

    def read(self, path: str, revision: str = "main") -> Found:
        """Return a file; one that does not exist has no content.

        Raises:
            HubError: the repository is not there or not readable, or the Hub cannot be reached.
        """
        return self.patiently(lambda: self._read_once(path, revision), f"read {path}")

    def read_all(self, paths: list[str], revision: str = "main") -> Iterator[bytes | None]:
        """Yield several files in order, a few at a time."""
        with ThreadPoolExecutor(READERS) as pool:
            yield from (
                found.content for found in pool.map(lambda p: self.read(p, revision), paths)
            )

    def size(self, api: "HfApi", path: str) -> int:
        """Return the bytes of a file without reading it.

        Raises:
            LedgerError: it is not there.
            HubError: the Hub cannot be reached.
        """
        found = self.patiently(
            lambda: api.get_paths_info(self.repo_id, path, repo_type="dataset"),
            f"tell the size of {path}",
        )
        size = getattr(found[0], "size", None) if found else None
        if size is None:
            raise LedgerError(f"{self.repo_id}: {path} is missing; the ledger has it")
        return int(size)

    def head(self, api: "HfApi") -> str:
        """Return the newest commit, 40 hex digits.

        Raises:
            HubError: the Hub does not say it, or cannot be reached.
        """
        info = self.patiently(
            lambda: api.dataset_info(self.repo_id, expand=["sha"]), "tell the head"
        )
        if not info.sha:
            raise HubError(
                f"the Hub does not say at which commit {self.repo_id} is; without it two writers "
                "would overwrite each other, so nothing is read or written"
            )
        return info.sha

    def add(self, api: "HfApi", files: Mapping[str, bytes], message: str) -> None:
        """Commit files under names that nobody else writes, on whatever commit is the newest."""
        self._commit(api, files, message, None, None)

    def change(
        self,
        api: "HfApi",
        files: Mapping[str, bytes],
        message: str,
        *,
        parent: str,
        gone: str | None,
    ) -> str:
        """Commit files on one commit and no other, remove one, and return the new commit.

        Args:
            api: the client, signed in.
            files: content by path.
            message: of the commit.
            parent: the commit that the change was decided on, 40 hex digits.
            gone: path of a file to remove.

        Raises:
            Overtaken: another commit brought the same files to the same bytes.
        """
        if not parent:
            raise HubError(f"a change of {self.repo_id} needs the commit that it was decided on")
        return self._commit(api, files, message, parent, gone)

    def _commit(
        self,
        api: "HfApi",
        files: Mapping[str, bytes],
        message: str,
        parent: str | None,
        gone: str | None,
    ) -> str:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete, get_session

        get_session().timeout = self._timeout
        additions = [CommitOperationAdd(path, data) for path, data in files.items()]
        removals = [CommitOperationDelete(gone)] if gone else []
        with no_progress_bars():
            made = api.create_commit(
                self.repo_id,
                [*additions, *removals],
                commit_message=message,
                repo_type="dataset",
                parent_commit=parent,
            )
        # The client sends nothing where the newest commit has these bytes, on whatever parent.
        if parent and not gone and not any(addition._is_committed for addition in additions):
            raise Overtaken(f"{', '.join(files)}: the same bytes came with another commit")
        return made.oid

    def patiently(self, ask: Callable[[], T], what: str) -> T:
        """Return what `ask` answers, asked again while the Hub's trouble may pass."""
        from huggingface_hub import get_session

        pauses = itertools.islice(self._backoff.pauses(), ASKED - 1)
        # By itself the client waits for ever.
        get_session().timeout = self._timeout
        while True:
            try:
                return ask()
            except Exception as error:
                if not may_pass(error):
                    raise self.refused(what, error) from error
                pause = next(pauses, None)
                if pause is None:
                    raise HubError(
                        f"the Hub cannot be reached to {what} of {self.repo_id}: {error}"
                    ) from error
                time.sleep(pause)

    def refused(self, what: str, error: Exception) -> HubError:
        """Return the error for an answer that will not change."""
        from huggingface_hub.errors import RepositoryNotFoundError

        if isinstance(error, RepositoryNotFoundError):
            return HubError(
                f"the Hub has no dataset {self.repo_id}, or this token may not read it; "
                "`cmc work --create-store` makes a store's repositories"
            )
        return HubError(f"the Hub refused to {what} of {self.repo_id}: {error}")

    def _read_once(self, path: str, revision: str) -> Found:
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.errors import EntryNotFoundError
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            hf_raise_for_status,
        )

        url = hf_hub_url(
            self.repo_id, path, repo_type="dataset", revision=revision, endpoint=self._endpoint
        )
        headers = build_hf_headers(token=self._token, library_name="cmc-bench")
        answer: httpx2.Response = get_session().get(url, headers=headers, timeout=self._timeout)
        # A large file is answered by a redirect, whose own answer names the commit.
        heads = (step.headers.get("X-Repo-Commit", "") for step in (answer, *answer.history))
        commit = next(filter(None, heads), "")
        try:
            hf_raise_for_status(answer)
        except EntryNotFoundError:
            return Found(None, commit)
        return Found(answer.content, commit)


def may_pass(error: BaseException) -> bool:
    """Return whether an error of the Hub's client may be gone at the next try."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in PASSING
    return isinstance(error, (httpx2.TransportError, Overtaken))


def is_answer_lost(error: BaseException) -> bool:
    """Return whether what was asked may have happened although an error was all that came back."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code >= 500
    return isinstance(error, httpx2.TransportError)


@contextlib.contextmanager
def no_progress_bars() -> Iterator[None]:
    """Keep the Hub's client from drawing a bar for every few bytes of the queue."""
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    were_disabled = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not were_disabled:
            enable_progress_bars()
