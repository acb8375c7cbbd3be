"""Reading files of a Hub dataset by the resolver, one call a file, with the commit they are of."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from protocol.errors import HubError

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
PASSING = frozenset({408, 409, 412, 429, 500, 502, 503, 504})
"""Answers that may pass: a moved head, another commit, too many calls, an outage."""
READERS = 8


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

    def patiently(self, ask: Callable[[], T], what: str) -> T:
        """Return what `ask` answers, asked again while the Hub's trouble may pass."""
        pauses = self._backoff.pauses()
        while True:
            try:
                return ask()
            except Exception as error:
                if not may_pass(error):
                    raise self.refused(what, error) from error
                pause = next(pauses, None)
                if pause is None:
                    raise HubError(
                        f"the Hub did not {what} of {self.repo_id} in {self._backoff.tries} tries: "
                        f"{error}"
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
        commit = answer.headers.get("X-Repo-Commit", "")
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
    return isinstance(error, httpx2.TransportError)
