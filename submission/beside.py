"""What lies beside a store's results for people to look at: statistics of boards, and pictures.

statistics/<board>.json             what `cmc statistics board` stored
evidence/<key>/<kind>.json          what `submission.evidence` holds: ablations, controls, …
gallery/<request id>/gallery.json   a run's pictures, and the files it names
frozen/<label>.json                 a board as it stood on a day; never changed

No line of the ledger names any of it: it decides nothing, and what is lost is made again, except
for frozen boards, which name a line of the ledger.
"""

import hashlib
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from protocol.errors import HubError
from protocol.files import write_new
from submission.hub_files import HubFiles, is_answer_lost, no_progress_bars

if TYPE_CHECKING:
    from huggingface_hub import HfApi

LISTS = (
    *("statistics/*.json", "evidence/*/*.json"),
    *("gallery/*/gallery.json", "frozen/*.json"),
)
"""The files that say what there is; pictures are found by what a `gallery.json` names."""


class Beside(Protocol):
    """The place, in a folder or on the Hub."""

    def revision(self) -> str:
        """Return what changes when anything here does."""

    def lists(self) -> list[str]:
        """Return the paths of all files of `LISTS`."""

    def read(self, path: str) -> bytes | None:
        """Return a file; None where it is not there."""

    def put(self, folder: Path, place: str) -> None:
        """Bring a folder's files to a place; those of the same names are replaced.

        In a folder the place holds these alone afterwards.
        """

    def add(self, path: str, content: bytes) -> bytes | None:
        """Write a file that is not there and return None; return the content of one that is."""

    def mark(self, name: str) -> None:
        """Name what was added last, where a place has names for what it held: a git tag."""


class FolderBeside:
    """Beside a store in a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the store's folder."""
        self._folder = folder

    def revision(self) -> str:
        """Return a hash over the lists' sizes and dates."""
        digest = hashlib.sha256()
        for path in self.lists():
            status = (self._folder / path).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:12]

    def lists(self) -> list[str]:
        """Return the paths of all files of `LISTS`."""
        found = (path for pattern in LISTS for path in self._folder.glob(pattern))
        return sorted(str(path.relative_to(self._folder)) for path in found)

    def read(self, path: str) -> bytes | None:
        """Return a file; None where it is not there."""
        file = self._folder / path
        return file.read_bytes() if file.is_file() else None

    def put(self, folder: Path, place: str) -> None:
        """Copy a folder, whole or not at all; what was at the place before is gone."""
        target = self._folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as temporary:
            copy = Path(temporary) / target.name
            shutil.copytree(folder, copy)
            if target.exists():
                target.rename(Path(temporary) / "old")
            copy.rename(target)

    def add(self, path: str, content: bytes) -> bytes | None:
        """Write a file that is not there and return None; return the content of one that is."""
        file = self._folder / path
        return None if write_new(file, content) else file.read_bytes()

    def mark(self, name: str) -> None:
        """Do nothing: a folder has no history to name a point of."""


class HubBeside:
    """Beside the results of a store on the Hub, in the same dataset."""

    def __init__(self, files: HubFiles, api: "HfApi", cache: Path) -> None:
        """Keep the address; nothing is asked yet."""
        self._files, self._api, self._cache = files, api, cache
        self._head = ""
        """The commit that was last seen; everything is read as of it."""
        self._added = ""
        """The commit that `add` made last."""

    def revision(self) -> str:
        """Return the newest commit of the results."""
        return self._newest()[:12]

    def lists(self) -> list[str]:
        """Return the paths of all files of `LISTS`."""
        head = self._head or self._newest()
        found = self._files.patiently(
            lambda: self._api.list_repo_files(
                self._files.repo_id, repo_type="dataset", revision=head
            ),
            "list the files",
        )
        return sorted(path for path in found if any(Path(path).match(one) for one in LISTS))

    def read(self, path: str) -> bytes | None:
        """Return a file; what was read before at the same commit costs no call.

        Raises:
            HubError: the Hub refused, or cannot be reached.
        """
        import httpx2
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import (
            EntryNotFoundError,
            HfHubHTTPError,
            LocalEntryNotFoundError,
        )

        head = self._head or self._newest()
        try:
            with no_progress_bars():
                kept = hf_hub_download(
                    self._files.repo_id,
                    path,
                    repo_type="dataset",
                    revision=head,
                    cache_dir=self._cache,
                    endpoint=self._api.endpoint,
                    token=self._api.token,
                )
        except (LocalEntryNotFoundError, httpx2.TransportError) as error:
            raise HubError(
                f"the Hub cannot be reached to read {path} of {self._files.repo_id}: {error}"
            ) from error
        except EntryNotFoundError:
            return None
        except HfHubHTTPError as error:
            raise self._files.refused(f"read {path}", error) from error
        return Path(kept).read_bytes()

    def put(self, folder: Path, place: str) -> None:
        """Upload a folder in one commit."""

        def upload() -> None:
            with no_progress_bars():
                self._api.upload_folder(
                    repo_id=self._files.repo_id,
                    repo_type="dataset",
                    folder_path=folder,
                    path_in_repo=place,
                    commit_message=place,
                )

        self._files.patiently(upload, f"take {place}")

    def add(self, path: str, content: bytes) -> bytes | None:
        """Commit a file on a head that does not have it, or return the content that it has.

        Raises:
            HubError: the Hub refused, or cannot be reached.
        """
        is_lost = False

        def attempt() -> bytes | None:
            nonlocal is_lost
            # Not `_head`: another thread may move that before the commit, which would then replace
            # a file that was not there when this one looked.
            head = self._newest()
            found = self._files.read(path, head).content
            if found == content and is_lost:
                # By this very call, whose answer did not come.
                return None
            if found is None:
                try:
                    self._added = self._files.change(
                        self._api, {path: content}, path, parent=head, gone=None
                    )
                except Exception as error:
                    is_lost = is_answer_lost(error)
                    raise
            return found

        found = self._files.patiently(attempt, f"take {path}")
        self._newest()
        return found

    def mark(self, name: str) -> None:
        """Tag the commit of what was added last, or the newest; a tag that is there stays.

        Raises:
            HubError: the Hub refused, or cannot be reached.
        """
        commit = self._added or self._head or self._newest()
        tag = partial(self._api.create_tag, self._files.repo_id, repo_type="dataset")
        self._files.patiently(
            lambda: tag(tag=name, revision=commit, exist_ok=True), f"take the tag {name}"
        )

    def _newest(self) -> str:
        """Return the newest commit, as of which everything is read from now on."""
        self._head = head = self._files.head(self._api)
        return head
