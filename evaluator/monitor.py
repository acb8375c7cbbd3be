"""Looks at a served page as its reader would, over HTTP: is it there, whole, filled and fresh?"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from protocol.errors import CMCError, InputError

if TYPE_CHECKING:
    from httpx2 import Client, Response

PATIENCE_SECONDS = 20.0
MARK = "data/site.json"
"""What our page asks for and no other page does."""
LARGE = "page/plotly.min.js"
"""Megabytes: that it is there is enough."""

_IN_PAGE = re.compile(r"""(?:src|href)="(page/[\w.-]+|data/[\w./-]+\.json)\"""")
_IN_SCRIPT = re.compile(r"""["'](?:\./([\w-]+\.js)|(page/[\w.-]+))["']""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    """`page`, `files`, `rows`, `age` or `store`."""
    passed: bool
    found: str
    remedy: str = ""
    """What to do where it did not pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen of a page."""

    url: str
    checks: tuple[Check, ...]
    age_hours: float | None
    """Since its data were last known to be the newest; None where that is not known."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Until the whole answer was there, by path."""

    @property
    def passed(self) -> bool:
        """Whether nobody needs to do anything."""
        return all(check.passed for check in self.checks)


class _Unseen(CMCError):
    """A file did not come, or is not what it should be."""


@dataclass(frozen=True, slots=True)
class _Visit:
    """One visit, with the time that each answer took."""

    client: "Client"
    url: str
    seconds: dict[str, float]

    def get(self, path: str, *, head: bool = False) -> "Response":
        """Ask for a file of the page.

        Raises:
            _Unseen: it does not come, or is not there.
        """
        import httpx2

        started = time.perf_counter()
        try:
            answer = self.client.request("HEAD" if head else "GET", urljoin(self.url, path))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _Unseen(f"{path or self.url}: {type(error).__name__}: {error}"[:300]) from error
        self.seconds[path or "/"] = round(time.perf_counter() - started, 4)
        if answer.status_code != 200:
            raise _Unseen(f"{path or self.url} answers {answer.status_code}")
        return answer

    def json(self, path: str) -> Any:
        """Return a file of JSON.

        Raises:
            _Unseen: it does not come, or is no JSON.
        """
        answer = self.get(path)
        try:
            return answer.json()
        except ValueError as error:
            raise _Unseen(f"{path} is no JSON") from error


def look_at(url: str, *, max_age_hours: float, patience_seconds: float = PATIENCE_SECONDS) -> Sight:
    """Look at a page, served or exported.

    Args:
        url: of the page.
        max_age_hours: how old its data may be.
        patience_seconds: how long an answer may take.

    Raises:
        InputError: it is no web address.
    """
    import httpx2

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InputError(f"{url!r} is no web address; begin it with https://")
    folder = parts.path.removesuffix("index.html").rstrip("/")
    base = f"{parts.scheme}://{parts.netloc}{folder}/"
    seconds: dict[str, float] = {}
    with httpx2.Client(timeout=patience_seconds, follow_redirects=True) as client:
        visit = _Visit(client, base, seconds)
        page, check = _page(visit)
        checks, age = [check], None
        if check.passed:
            checks += [_files(visit, page), _rows(visit)]
            freshness, age = _freshness(visit, max_age_hours)
            checks += freshness
    return Sight(url=base, checks=tuple(checks), age_hours=age, seconds=seconds)


def _page(visit: _Visit) -> tuple[str, Check]:
    try:
        page = visit.get("").text
    except _Unseen as error:
        remedy = "see whether the server runs: on a Space, its page on the Hub has its log"
        return "", Check(name="page", passed=False, found=str(error), remedy=remedy)
    if MARK not in page:
        remedy = (
            "give the address of the page itself: of a Space that is https://OWNER-NAME.hf.space; "
            "one that sleeps or is being built shows another page until it runs"
        )
        found = f"{visit.url} answers with another page"
        return page, Check(name="page", passed=False, found=found, remedy=remedy)
    return page, Check(name="page", passed=True, found=f"it answers, {len(page):,} characters")


def _files(visit: _Visit, page: str) -> Check:
    """Follow the page's own files through all scripts."""
    waiting = dict.fromkeys([*_IN_PAGE.findall(page), LARGE])
    seen: dict[str, None] = {}
    wrong = []
    while waiting:
        path = next(iter(waiting))
        del waiting[path]
        seen[path] = None
        try:
            answer = visit.get(path, head=path == LARGE)
            # Some servers answer everything they lack with their start page.
            if path.startswith("page/") and "html" in answer.headers.get("content-type", ""):
                raise _Unseen(f"{path} is an HTML page")
        except _Unseen as error:
            wrong.append(str(error))
            continue
        if path.endswith(".js") and path != LARGE:
            found = _IN_SCRIPT.findall(answer.text)
            paths = [f"page/{beside}" if beside else own for beside, own in found]
            waiting |= dict.fromkeys(one for one in paths if one not in seen)
    if wrong:
        return Check(
            name="files",
            passed=False,
            found="; ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""),
            remedy="export the site again, whole, or deploy the server's code again",
        )
    return Check(name="files", passed=True, found=f"all {len(seen)} are there")


def _rows(visit: _Visit) -> Check:
    remedy = (
        "see whether the store has results: `cmc queue --store …`, `cmc verify …`; a server that "
        "was started without CMC_STORE shows the published rows alone"
    )
    try:
        counts = dict(_counts(visit))
    except _Unseen as error:
        return Check(name="rows", passed=False, found=str(error), remedy=remedy)
    found = ", ".join(f"{track} {count:,}" for track, count in counts.items()) or "no board"
    is_filled = bool(counts) and all(counts.values())
    return Check(name="rows", passed=is_filled, found=found, remedy="" if is_filled else remedy)


def _counts(visit: _Visit) -> Iterator[tuple[str, int]]:
    try:
        for track in [one["key"] for one in visit.json(MARK)["tracks"]]:
            board = visit.json(f"data/board/{track}.all.json")
            yield track, sum(len(table["cells"]["model"]) for table in board["tables"])
    except (KeyError, TypeError) as error:
        raise _Unseen(f"the boards' data have another form ({error!r})") from error


def _freshness(visit: _Visit, max_age_hours: float) -> tuple[list[Check], float | None]:
    """Say how old the data are: since the store last answered, or since the export."""
    try:
        status, since = visit.json("data/status.json"), "the store last answered"
        at = status["checked_at"]
    except (_Unseen, KeyError, TypeError):
        status, since = None, "the export"
        try:
            at = visit.json(MARK)["read_at"]
        except (_Unseen, KeyError, TypeError):
            at = ""
    age = _hours_since(at)
    remedy = (
        "export again: `cmc export-site DIR --store …`, from the job that does it on a schedule"
        if status is None
        else "see whether the store answers; the server shows what it read last"
    )
    is_fresh = age is not None and age <= max_age_hours
    checks = [
        Check(
            name="age",
            passed=is_fresh,
            found=f"{age:.1f} hours since {since}" if age is not None else "nobody knows it",
            remedy="" if is_fresh else remedy,
        )
    ]
    if status is not None:
        checks.append(_store(status))
    return checks, age


def _store(status: Mapping[str, Any]) -> Check:
    problem = str(status.get("problem", ""))[:400]
    if not problem:
        return Check(name="store", passed=True, found="it answers")
    since = str(status.get("failing_since", ""))[:40]
    return Check(
        name="store",
        passed=False,
        found=f"{problem}, since {since}" if since else problem,
        remedy="see whether the Hub is up, whether CMC_STORE names the store and whether HF_TOKEN "
        "may read it; until then the page shows what it read last"
        if since
        else "see what `cmc verify STORE` names, and whether CMC_STORE names the store",
    )


def _hours_since(text: object) -> float | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return round((datetime.now(UTC) - moment).total_seconds() / 3600, 3)
