"""Asking an HTTP endpoint that speaks OpenAI's dialect: keys, repeats, a ceiling of calls."""

import os
import random
import time
from collections.abc import Mapping
from typing import Any

from evaluator.retry_after import retry_after
from protocol.errors import ModelError

OPENAI = "https://api.openai.com/v1"
LONGEST_WAIT = 120.0
"""Seconds; an endpoint that asks for more is taken to be down."""


_DECLINED = ("moderation_blocked", "content_policy_violation", "content_filter", "contentFilter")
"""How OpenAI and Azure say that a filter declines what a request shows."""


class EndpointError(ModelError):
    """An endpoint cannot be used any further."""


class Refused(Exception):
    """The endpoint declines this one request, for what it shows."""


class Endpoint:
    """One endpoint, and how often it was asked."""

    def __init__(self, base_url: str, *, tries: int, max_calls: int, timeout: float) -> None:
        """Keep the address, checked.

        Args:
            base_url: what comes before `/images/…`.
            tries: how often a call is sent before the endpoint is taken to be down.
            max_calls: how many may be sent in all; 0 for any number.
            timeout: seconds to wait for an answer.

        Raises:
            ModelError: the address is none, or the key that it needs is not set.
        """
        if not base_url.startswith(("https://", "http://")):
            raise ModelError(f"base_url={base_url}: wanted an address with https:// or http://")
        self.base_url = base_url.rstrip("/")
        self.calls = 0
        self._tries = tries
        self._max_calls = max_calls
        self._timeout = timeout
        self._headers = _headers(self.base_url)

    def post(self, path: str, **content: Any) -> Any:
        """Return the JSON that the endpoint answers, after as many tries as are allowed.

        Args:
            path: appended to the address.
            content: `json=`, or `data=` and `files=`.

        Raises:
            Refused: it declines this request.
            EndpointError: it cannot be asked, or answers nonsense.
        """
        import httpx2

        for attempt in range(self._tries):
            self._count()
            try:
                answer = httpx2.post(
                    f"{self.base_url}{path}",
                    headers=self._headers,
                    timeout=self._timeout,
                    **content,
                )
            except httpx2.TransportError as error:
                reason, wait = type(error).__name__, None
            else:
                if answer.status_code == 200:
                    return _json_of(answer, self.base_url)
                reason, wait = _reason(answer, self.base_url)
            if attempt + 1 < self._tries:
                time.sleep(_pause(attempt, wait))
        raise EndpointError(f"{self.base_url} failed {self._tries} times; the last was: {reason}")

    def _count(self) -> None:
        if self._max_calls and self.calls >= self._max_calls:
            raise EndpointError(
                f"max_calls={self._max_calls} calls were sent to {self.base_url}; what was made is "
                "kept, so start again to go on"
            )
        self.calls += 1


def _headers(base_url: str) -> Mapping[str, str]:
    """Return the key's header, for those only whom the person at this machine trusts with it.

    The address is part of a submission, which may be a stranger's; the key is this machine's.
    """
    key = os.environ.get("OPENAI_API_KEY", "")
    trusted = {OPENAI, os.environ.get("OPENAI_BASE_URL", OPENAI).rstrip("/")}
    if base_url not in trusted:
        return {}
    if not key:
        raise ModelError(f"OPENAI_API_KEY is not set; {base_url} wants a key")
    return {"Authorization": f"Bearer {key}"}


def _json_of(answer: Any, base_url: str) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise EndpointError(f"{base_url} answered no JSON: {answer.text[:80]!r}") from error


def _reason(answer: Any, base_url: str) -> tuple[str, float | None]:
    """Return what went wrong and the wait asked for, if trying again may help.

    Raises:
        Refused: trying again would not help, but another request may.
        EndpointError: nothing would help.
    """
    message, code = _error_of(answer)
    text = f"HTTP {answer.status_code}: {message}"
    if answer.status_code == 429 and code == "insufficient_quota":
        raise EndpointError(f"{base_url} answered {text}; fill the account up")
    if answer.status_code == 429 or answer.status_code >= 500:
        wait = retry_after(answer.headers.get("retry-after", ""))
        if wait is not None and wait > LONGEST_WAIT:
            raise EndpointError(f"{base_url} wants {wait:.0f} s of rest ({text}); go on later")
        return text, wait
    if code in _DECLINED:
        raise Refused(message)
    hint = ""
    if answer.status_code == 401:
        hint = f"; the key goes to {OPENAI} and to $OPENAI_BASE_URL only"
    raise EndpointError(f"{base_url} answered {text}{hint}")


def _error_of(answer: Any) -> tuple[str, str]:
    """Return the message and the code of an error in OpenAI's form, as far as it has one."""
    try:
        error = answer.json()["error"]
        return str(error.get("message", ""))[:200], str(error.get("code", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.text[:200], ""


def _pause(attempt: int, wait: float | None) -> float:
    """Return seconds to wait: twice as long each time, and by chance apart from other clients."""
    jittered = min(60.0, 2.0**attempt) * random.uniform(0.5, 1.0)
    return jittered if wait is None else wait + jittered * 0.1
