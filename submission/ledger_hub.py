"""The ledger on the Hub: two datasets, so that a submitter need not be able to write results.

ORG/NAME-requests
  ledger/current.jsonl          a header, then the newest lines of the ledger
  ledger/segments/<first>.jsonl the lines before, a segment each, with the same headers
  ledger/snapshots/<number>.json.gz  the state of all requests at the header's line
  requests/ab/<id>.json         what was asked; written once
  captions/ab/<sha256>.csv      a caption file that a request names; or .jsonl
  reported/ab/<id>.<hash>.*     results that came with a request, not yet received
  replications/ab/<id>.<hash>.json  what came out when somebody ran a part again
ORG/NAME-results
  results/ab/<id>.<token>.*     what came out
  audits/ab/<id>.<hash>.json    a maintainer's second run of a part of reported results

A change is one commit on the commit that it was decided on (`parent_commit`): of two writers one is
refused and decides again. Reading costs one call, or two for a reader who has been away for long,
however many requests there are.
"""

import gzip
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from protocol.errors import HubError, LedgerError
from protocol.files import write_whole
from protocol.states import Event, Lease
from submission.clock import now
from submission.hub_files import Backoff, Found, HubFiles, may_pass
from submission.ledger import Batch, Book, check_content, make_line
from submission.queue import new_nonce

CURRENT = "ledger/current.jsonl"
SEGMENT_LINES = 128
SEGMENT_BYTES = 200_000
"""A segment ends after so many lines or bytes: it is sent again with each of its lines."""
RESULT_ROOMS = ("results/", "audits/")
"""What a submitter must not be able to write."""
ROOMS = ("requests/", "captions/", "reported/", "replications/", *RESULT_ROOMS)
TABLE = re.compile(r"requests/\w+-[0-9]{5}\.parquet")
"""The requests as `cmc dataset publish` puts them there for readers; no ledger's file lies so."""


class HubLedger:
    """A ledger whose newest lines are one file of a dataset."""

    def __init__(
        self,
        name: str,
        *,
        endpoint: str | None,
        token: str | None,
        cache: Path,
        backoff: Backoff,
        timeout: float,
    ) -> None:
        """Keep the address."""
        from huggingface_hub import HfApi

        self.book = Book()
        self.api: HfApi = HfApi(endpoint=endpoint, token=token, library_name="cmc-bench")
        options: dict[str, Any] = {"token": token, "timeout": timeout, "backoff": backoff}
        options["endpoint"] = self.api.endpoint
        self.requests = HubFiles(f"{name}-requests", **options)
        self.results = HubFiles(f"{name}-results", **options)
        self._cache, self._backoff = cache, backoff
        self._head = ""
        """The commit that the book was read at."""
        self._segment: list[bytes] = []
        """The lines of the current file, its header first."""
        self._tried: list[str] = []
        """Nonces of the change that is being made."""
        self._guard = threading.RLock()

    def create(self) -> None:
        """Make the repositories; those that are there stay as they are."""
        for files in (self.requests, self.results):
            make = partial(self.api.create_repo, files.repo_id, repo_type="dataset", exist_ok=True)
            files.patiently(make, "make the repository")

    def refresh(self) -> Book:
        """Return the book as of the newest commit."""
        with self._guard:
            found = self._newest()
            self._head = found.commit
            if found.content is None:
                if self.book.number:
                    raise LedgerError(f"{self.requests.repo_id} has lost its ledger")
                self._segment = [_header(self.book)]
                return self.book
            header_line, *lines = found.content.rstrip(b"\n").split(b"\n")
            header = json.loads(header_line)
            if self.book.number < header["after"]:
                self._catch_up(header)
            seen = self.book.number - header["after"]
            last = hashlib.sha256(lines[seen - 1]).hexdigest() if 0 < seen <= len(lines) else None
            if seen > len(lines) or last not in (None, self.book.sha256):
                raise LedgerError(f"{self.requests.repo_id} has lost lines; a ledger only grows")
            for line in lines[seen:]:
                self.book.apply(line)
            self._segment = [header_line, *lines]
            return self.book

    def _newest(self) -> Found:
        """Return the newest lines and the commit they are of, on which the next change is made."""
        found = self.requests.read(CURRENT)
        if found.commit:
            return found
        # First the head, then the file there: a commit in between would be overwritten.
        head = self.requests.head(self.api)
        return Found(self.requests.read(CURRENT, head).content, head)

    def change(self, decide: Callable[[Book], Batch]) -> tuple[Event, ...]:
        """Let one batch happen, decided on the commit that it is committed on."""
        sent: set[str] = set()
        with self._guard:
            tried = self._tried = list[str]()
            for pause in (*self._backoff.pauses(), None):
                book = self.refresh()
                landed = _landed(book, tried)
                if landed is not None:
                    return landed
                batch = decide(book)
                if not batch.events:
                    return ()
                nonce = new_nonce()
                tried.append(nonce)
                try:
                    self._commit(book, batch, nonce, sent)
                except Exception as error:
                    if not may_pass(error):
                        raise self.requests.refused("take a commit", error) from error
                    if pause is None:
                        raise HubError(f"the Hub took no change in {len(tried)} tries") from error
                    # Whether an answer was lost or a commit refused, the ledger tells.
                    time.sleep(pause)
                    continue
                landed = _landed(self.refresh(), tried)
                if landed is not None:
                    return landed
        raise HubError(f"{self.requests.repo_id} took a change and does not show it")

    def _commit(self, book: Book, batch: Batch, nonce: str, sent: set[str]) -> None:
        results = {p: data for p, data in batch.files.items() if p.startswith(RESULT_ROOMS)}
        if results.keys() - sent:
            # Under names that only this claim has; what no line names counts for nothing.
            self.results.add(self.api, results, "result")
            sent.update(results)
        files = {p: data for p, data in batch.files.items() if p not in results}
        line = make_line(book, batch, nonce, now())
        gone = None
        if len(self._segment) > SEGMENT_LINES or sum(map(len, self._segment)) > SEGMENT_BYTES:
            gone = json.loads(self._segment[0]).get("snapshot")
            first = json.loads(self._segment[1])["number"]
            segment = f"ledger/segments/{first:08d}.jsonl"
            files[segment] = b"\n".join(self._segment) + b"\n"
            snapshot = f"ledger/snapshots/{book.number:08d}.json.gz"
            files[snapshot] = _packed(book.to_snapshot())
            lines = [_header(book, snapshot, segment), line]
        else:
            lines = [*self._segment, line]
        files[CURRENT] = b"\n".join(lines) + b"\n"
        what = ", ".join(f"{e.action} {e.state.request_id}" for e in batch.events[:3])
        self.requests.change(self.api, files, what, parent=self._head, gone=gone)

    def lines(self) -> Iterator[bytes]:
        """Yield the whole ledger: the segments, then the current file."""
        with self._guard:
            self.refresh()
            current, head = self._segment[1:], self._head
        paths = sorted(p for p in self._paths(self.requests, head) if p.startswith("ledger/segm"))
        for content in self.requests.read_all(paths, head):
            if content is None:
                raise LedgerError(f"{self.requests.repo_id}: a segment of the ledger is missing")
            yield from content.rstrip(b"\n").split(b"\n")[1:]
        yield from current

    def read_all(self, wanted: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        """Yield files, each checked against its sha256; each is asked for once on a machine."""
        missing = [path for path, sha256 in wanted if not self._kept(path, sha256).is_file()]
        where = self.results if all(p.startswith(RESULT_ROOMS) for p in missing) else self.requests
        digests = dict(wanted)
        for path, content in zip(missing, where.read_all(missing), strict=True):
            checked = check_content(path, content, digests[path])
            write_whole(self._kept(path, digests[path]), checked)
        for path, sha256 in wanted:
            yield check_content(path, self._kept(path, sha256).read_bytes(), sha256)

    def local_path(self, path: str, sha256: str) -> Path:
        """Return a file of the cache."""
        next(self.read_all([(path, sha256)]))
        return self._kept(path, sha256)

    def attached(self, path: str) -> bytes | None:
        """Return a file that came with a request; None where there is none."""
        return self.requests.read(path).content

    def size(self, path: str) -> int:
        """Return the bytes of a file that came with a request: one call."""
        return self.requests.size(self.api, path)

    def digests(self) -> Mapping[str, str]:
        """Return the sha256 of every such file, by reading each that is new here."""
        found: dict[str, str] = {}
        for files in (self.requests, self.results):
            there = [p for p in self._paths(files, "main") if p.startswith(ROOMS)]
            paths = [path for path in there if not TABLE.fullmatch(path)]
            for path, content in zip(paths, files.read_all(paths), strict=True):
                found[path] = hashlib.sha256(content or b"").hexdigest()
        return found

    def hold(self, nonce: str) -> None:
        """Do nothing: on the Hub a holder is known by its lease alone."""

    def let_go(self, nonce: str) -> None:
        """Do nothing."""

    def is_dead(self, lease: Lease) -> bool:
        """Return False: only time tells."""
        del lease
        return False

    def note(self, request_id: str, text: str) -> None:
        """Do nothing: progress and log travel with the lease's renewals."""

    def noted(self, request_id: str) -> str:
        """Return nothing."""
        del request_id
        return ""

    def _kept(self, path: str, sha256: str) -> Path:
        # Apart: what anybody may write is never taken for what only maintainers may.
        room = "results" if path.startswith(RESULT_ROOMS) else "requests"
        return self._cache / room / sha256[:2] / sha256

    def _paths(self, files: HubFiles, revision: str) -> list[str]:
        ask = partial(self.api.list_repo_files, files.repo_id, repo_type="dataset")
        return files.patiently(lambda: ask(revision=revision), "list the files")

    def _catch_up(self, header: dict[str, Any]) -> None:
        """Bring the book to a header's line."""
        # A snapshot knows no nonces, and a writer must not miss that its change has happened.
        found = None if self._tried else self._snapshot(header)
        if found is not None:
            self.book = found
            return
        missed: list[bytes] = []
        while self.book.number < header["after"]:
            content = self.requests.read(header["previous"], self._head).content
            if content is None:
                raise LedgerError(f"{self.requests.repo_id}: {header['previous']} is missing")
            header_line, *lines = content.rstrip(b"\n").split(b"\n")
            header = json.loads(header_line)
            missed = [*lines[max(0, self.book.number - header["after"]) :], *missed]
        for line in missed:
            self.book.apply(line)

    def _snapshot(self, header: dict[str, Any]) -> Book | None:
        """Return the book of a header; None where an older version wrote it, which kept less."""
        content = self.requests.read(header["snapshot"], self._head).content
        if content is None:
            raise LedgerError(f"{self.requests.repo_id}: {header['snapshot']} is missing")
        plain = json.loads(gzip.decompress(content))
        if "milestones" not in plain:
            return None
        book = Book.from_snapshot(plain)
        if (book.number, book.sha256) != (header["after"], header["sha256"]):
            raise LedgerError(f"{self.requests.repo_id}: {header['snapshot']} is not its line's")
        return book


def _header(book: Book, snapshot: str = "", previous: str = "") -> bytes:
    plain = {"after": book.number, "sha256": book.sha256, "snapshot": snapshot}
    return json.dumps({**plain, "previous": previous}, sort_keys=True).encode()


def _packed(snapshot: dict[str, Any]) -> bytes:
    text = json.dumps(snapshot, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


def _landed(book: Book, tried: Sequence[str]) -> tuple[Event, ...] | None:
    found = map(book.events_of_nonce, tried)
    return next((events for events in found if events is not None), None)
