"""Questions and answers of the loopback Hub, as values; the socket is in `loopback_hub`."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import unquote

if TYPE_CHECKING:
    from hub_accounts import Account
    from hub_state import HubState

KINDS = ("models", "datasets", "spaces")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request whose body was read, unless it is an LFS object (`upload`)."""

    method: str
    path: str
    """Decoded nowhere: revisions and paths are percent-encoded one by one."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    account: "Account"
    endpoint: str
    parts: Mapping[str, str]
    """What the route's `{names}` stood for; not decoded."""

    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return self.parts.get("kind") or self.parts.get("prefix", "").rstrip("/") or "models"

    @property
    def repo_id(self) -> str:
        return "/".join(self.parts[key] for key in ("ns", "name") if key in self.parts)

    @property
    def rev(self) -> str:
        """Decoded, without `refs/heads/`."""
        return unquote(self.parts.get("rev", "main")).removeprefix("refs/heads/")

    def has(self, flag: str) -> bool:
        return self.query.get(flag, [""])[0].lower() in ("1", "true")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: `body`, or `length` bytes of `file` from `start`."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None
    start: int = 0
    length: int = 0


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return JSON."""
    told = {"Content-Type": "application/json", **(headers or {})}
    return Answer(json.dumps(value).encode(), status, told)


Handler: TypeAlias = Callable[["HubState", Ask], Answer]


class Route(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    operation: str
    handler: Handler


def route(method: str, path: str, operation: str, handler: Handler) -> Route:
    """Return a route; `{name}` is one segment of the path, `{name*}` the rest of it."""
    parts = re.split(r"\{(\w+\*?)\}", path)
    pattern = re.escape(parts[0])
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        one = "[^/]+" if not name.endswith("*") else ".+"
        one = {"kind": "|".join(KINDS), "prefix": "(?:datasets/|spaces/)?"}.get(name, one)
        pattern += f"(?P<{name.rstrip('*')}>{one}){re.escape(literal)}"
    return Route(method, re.compile(pattern), operation, handler)
