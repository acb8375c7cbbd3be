"""Any server that speaks OpenAI's chat format: `openai:MODEL?base_url=http://HOST:PORT/v1`.

Temperature 0, the protocol's seed, the picture as PNG. Settings: `prompt`, `max_new_tokens`, `cut`
(see `_asking.py`), `base_url`, `limit` (which field carries `max_new_tokens`), `sampling` (`own`
sends neither temperature nor seed, which OpenAI's reasoning models and others refuse), and, without
effect on captions, `max_calls` (requests in one run), `retries` (for one picture) and `timeout`
(seconds).

The key is in the environment, as OPENAI_API_KEY. It goes to OpenAI, and to the address in
OPENAI_BASE_URL where the operator sets one, and to no other: whoever submits a request chooses the
server, and must not be able to have the worker's key sent to his own.
"""

import base64
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from evaluator.captioners import Caption, Captioner, NamedPicture
from evaluator.captioners._asking import ASKING_SETTINGS, Asking, describe_asking, read_asking
from evaluator.pictures import png_bytes
from evaluator.retry_after import retry_after
from protocol.errors import CaptionError, ModelError
from protocol.records import System
from protocol.versions import Protocol
from submission.settings import Value, read_settings
from submission.store import now

if TYPE_CHECKING:
    from httpx2 import Response

IN_BATCHES = False
UNKEYED = frozenset({"max_calls", "retries", "timeout"})

OPENAI = "https://api.openai.com/v1"
LIMITS = ("max_tokens", "max_completion_tokens")
SAMPLINGS = ("greedy", "own")
LONGEST_WAIT = 120.0
"""Seconds; a server that wants a longer break gets it by being asked again tomorrow."""

_HINTS = {
    "max_completion_tokens": "; limit=max_completion_tokens calls it so",
    "temperature": "; sampling=own sends none",
    "seed": "; sampling=own sends none",
}
"""What to do where a server's refusal has one of these words."""

SETTINGS: Mapping[str, Value] = {
    **ASKING_SETTINGS,
    "base_url": OPENAI,
    "limit": "max_tokens",
    "sampling": "greedy",
    "max_calls": 5000,
    "retries": 5,
    "timeout": 120.0,
}


class EndpointCaptioner:
    """Asks for one caption at a time; every answer is returned before the next is asked for."""

    def __init__(
        self,
        ask: Callable[[list[dict[str, Any]]], Any],
        asking: Asking,
        *,
        name: str,
        max_calls: int,
        retries: int,
    ) -> None:
        """Keep the parts.

        Args:
            ask: sends messages and returns the server's answer, or raises what the client raises.
            asking: the prompt and what becomes of the answers.
            name: what messages call the model.
            max_calls: HTTP requests that this object may make, repeated ones counted.
            retries: how often one question is repeated.
        """
        self._ask = ask
        self._asking = asking
        self._name = name
        self._calls_left = max_calls
        self._max_calls = max_calls
        self._retries = retries

    def caption(self, batch: Sequence[NamedPicture]) -> list[Caption]:
        """Ask for each picture's caption in turn."""
        return [self._caption(item) for item in batch]

    def _caption(self, item: NamedPicture) -> Caption:
        url = "data:image/png;base64," + base64.b64encode(png_bytes(item.picture)).decode()
        question = self._asking.prompt.text
        content = [
            {"type": "image_url", "image_url": {"url": url}},
            *([{"type": "text", "text": question}] if question else []),
        ]
        answer = self._answer([{"role": "user", "content": content}], item.name)
        try:
            choice, usage = answer.choices[0], answer.usage
            text, model = choice.message.content, answer.model
            tokens = usage.completion_tokens if usage else None
            text = (text or "").strip()
        except (AttributeError, IndexError, TypeError) as error:
            raise CaptionError(f"{self._name} answered in another form than OpenAI's") from error
        reason = getattr(choice, "finish_reason", None)
        if not text and reason == "length":
            raise CaptionError(
                f"{self._name} used up its room before it answered for {item.name}, as models do "
                "that think first; give it more: max_new_tokens=2000"
            )
        caption = self._asking.finish(text, tokens, is_whole=reason != "length")
        if not caption.text or reason == "content_filter":
            refusal = getattr(choice.message, "refusal", None) or f"finish reason: {reason}"
            raise CaptionError(
                f"{self._name} gave no caption for {item.name} ({refusal:.200}); "
                "give its captions as a file, with one written for this picture"
            )
        return replace(caption, model=model or "", answered_at=now())

    def _answer(self, messages: list[dict[str, Any]], picture: str) -> Any:
        for attempt in range(self._retries + 1):
            if self._calls_left == 0:
                raise CaptionError(
                    f"{self._name}: the {self._max_calls} calls of this run (max_calls) are made. "
                    "The captions so far are kept; run it again for the next ones"
                )
            self._calls_left -= 1
            try:
                return self._ask(messages)
            except Retry as retry:
                if attempt == self._retries or retry.wait > LONGEST_WAIT:
                    raise CaptionError(
                        f"{self._name} did not caption {picture} in {attempt + 1} tries: "
                        f"{retry}. The captions so far are kept; run it again later"
                    ) from retry
                # Waits double from one second; the spread keeps workers from coming back at once.
                time.sleep(retry.wait or min(2.0**attempt, 30.0) * random.uniform(0.75, 1.25))
        raise AssertionError("unreachable")


class Retry(Exception):
    """The server could not answer now, and may later."""

    def __init__(self, reason: str, wait: float) -> None:
        """Keep the seconds that the server asked to be left alone for; 0 where it did not."""
        super().__init__(reason)
        self.wait = wait


def describe(protocol: Protocol, device: str) -> Mapping[str, object]:
    """Return what is asked, and how; the device plays no part."""
    del device
    return {**describe_asking(protocol), "temperature": 0, "seed": protocol.seed, "picture": "png"}


def load(system: System, protocol: Protocol, device: str) -> Captioner:
    """Check the settings; nothing is sent before the first picture."""
    del device
    settings = read_settings(system, SETTINGS)
    asking = read_asking(settings, protocol)
    if not system.model:
        raise ModelError("openai names no model; wanted openai:MODEL")
    if settings["limit"] not in LIMITS:
        raise ModelError(f"limit={settings['limit']}: wanted {' or '.join(LIMITS)}")
    if settings["sampling"] not in SAMPLINGS:
        raise ModelError(f"sampling={settings['sampling']}: wanted {' or '.join(SAMPLINGS)}")
    url = chat_url(str(settings["base_url"]))
    return EndpointCaptioner(
        _asker(system.model, url, asking, protocol.seed, settings),
        asking,
        name=f"{system.model} at {urlsplit(url).hostname}",
        max_calls=int(settings["max_calls"]),
        retries=int(settings["retries"]),
    )


def chat_url(base_url: str) -> str:
    """Return the address that is posted to; a base without a path gets `/v1`.

    huggingface_hub completes addresses in its own way, which is wrong for bases such as Gemini's
    `…/v1beta/openai/`; it leaves alone what ends in `/chat/completions`.

    Raises:
        ModelError: it is no plain http address, or holds a password or a query.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelError(f"base_url={base_url}: wanted http://HOST:PORT/v1 or https://…")
    if parts.username or parts.query or parts.fragment:
        raise ModelError("base_url holds a user or a query; a key belongs into OPENAI_API_KEY")
    path = parts.path.rstrip("/") or "/v1"
    end = "/chat/completions"
    return parts._replace(path=path if path.endswith(end) else path + end).geturl()


def key_for(url: str) -> str:
    """Return the environment's key for an address that may have it, and "" for any other.

    Args:
        url: what `chat_url` returns.

    Raises:
        ModelError: OpenAI is to be asked, and there is no key.
    """
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if url == chat_url(OPENAI) and not key:
        raise ModelError(f"OPENAI_API_KEY is not set; {OPENAI} wants a key")
    trusted = (OPENAI, os.environ.get("OPENAI_BASE_URL") or OPENAI)
    return key if url in map(chat_url, trusted) else ""


def _asker(
    model: str, url: str, asking: Asking, seed: int, settings: Mapping[str, Value]
) -> Callable[[list[dict[str, Any]]], Any]:
    import httpx2
    from huggingface_hub import InferenceClient
    from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError, OfflineModeIsEnabled

    key = key_for(url)
    # Without a key of its own, the client would send the machine's Hub token to this server.
    client = InferenceClient(
        base_url=url, api_key=key or "none", timeout=float(settings["timeout"])
    )
    room = {str(settings["limit"]): asking.max_new_tokens}
    greedy = {"temperature": 0.0, "seed": seed} if settings["sampling"] == "greedy" else {}

    def ask(messages: list[dict[str, Any]]) -> Any:
        try:
            answer = client.chat_completion(
                messages,
                model=model,
                extra_body={**room, **greedy},
            )
        except HfHubHTTPError as error:
            raise _refusal(error.response, error, key) from error
        except (InferenceTimeoutError, httpx2.TransportError) as error:
            raise Retry(f"{type(error).__name__}", 0.0) from error
        except (OfflineModeIsEnabled, httpx2.InvalidURL) as error:
            raise CaptionError(f"{url} cannot be asked: {type(error).__name__}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise CaptionError(f"{url} answered with something that is no JSON object") from error
        if said := getattr(answer, "error", None):
            # Some servers, such as OpenRouter, answer HTTP 200 with an error inside.
            raise CaptionError(f"{url} answered with an error: {_without_key(said, key)[:300]}")
        return answer

    return ask


def _without_key(said: object, key: str) -> str:
    """Return a server's words; some repeat a wrong key, and these are kept and shown."""
    text = str(said).replace("\n", " ")
    return text.replace(key, "[key]") if key else text


def _refusal(response: "Response", error: Exception, key: str) -> Exception:
    """Return a Retry for what may pass, and a CaptionError for what will not."""
    status = response.status_code
    said = _without_key(error, key)
    passes = status in (408, 429) or status >= 500
    # OpenAI's word for an account that is empty, which it stays.
    if passes and "insufficient_quota" not in response.text:
        return Retry(f"HTTP {status}", retry_after(response.headers.get("retry-after", "")) or 0.0)
    hint = ". The key goes to OpenAI and to OPENAI_BASE_URL only" if status in (401, 403) else ""
    if status in (400, 422):
        hint = next((hint for word, hint in _HINTS.items() if word in said), "")
    return CaptionError(f"the server refused with HTTP {status}: {said[:300]}{hint}")
