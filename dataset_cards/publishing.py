"""Publishing: what differs between a folder and a repository, and one atomic commit a config.

A commit names the one it was planned on, so nothing that others did in between is overwritten.
What was uploaded before a crash is known again by its hash. With each config comes a card that
says what is there by then, so that the repository can be loaded at every commit.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dataset_cards.cards import find_dataset, merge_cards
from dataset_cards.layout import CARD, CROISSANT, list_shards
from dataset_cards.repositories import check_tag_name, hash_like, hub_errors, is_passing, refused
from dataset_cards.schema import Dataset
from protocol.errors import DatasetError

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    Operation = CommitOperationAdd | CommitOperationDelete

T = TypeVar("T")
ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one file of the repository."""

    path: str
    action: str
    """`add`, `replace` or `delete`."""
    bytes: int
    before: str
    """The hash that the repository has now; empty where it has no such file."""


@dataclass(frozen=True, slots=True)
class Step:
    """One commit."""

    name: str
    """The config's name, or `card`."""
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that differs."""

    repo: str
    head: str
    """The commit it was compared with; empty where the repository is to be made."""
    steps: tuple[Step, ...]

    @property
    def upload_bytes(self) -> int:
        """Size of the files that are added or replaced."""
        return sum(change.bytes for step in self.steps for change in step.changes)


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository's files by path, at one commit."""

    head: str
    hashes: Mapping[str, str]


class Publication:
    """One folder on its way to one repository."""

    def __init__(
        self, folder: Path, dataset: Dataset, repo: str, croissant: bytes, api: "HfApi"
    ) -> None:
        """Keep what is to be published; `croissant` is the description with this repo's address."""
        self._folder, self._dataset, self._repo, self._api = folder, dataset, repo, api
        self._croissant = croissant
        self._cards: set[str] = set()
        """Hashes of the repository's card: as it was planned on, and as it is by us since."""

    def plan(self) -> Plan:
        """Return what would change.

        Raises:
            DatasetError: the Hub cannot be asked, or the repository has another of our datasets.
        """
        remote = self._remote()
        self._check_card(remote)
        self._cards |= {remote.hashes.get(CARD, ""), hash_like(self._folder / CARD, "")}
        steps = (Step(name, tuple(self._changes(name, remote))) for name in self._step_names())
        return Plan(self._repo, remote.head, tuple(step for step in steps if step.changes))

    def publish(self, plan: Plan, note: Callable[[str], None], *, private: bool = False) -> str:
        """Make the commits of a plan and return the last one's hash.

        Raises:
            DatasetError: the repository was changed by others, or the Hub does not answer.
        """
        if not plan.head:
            self._ask(
                lambda: self._api.create_repo(
                    self._repo, repo_type="dataset", private=private, exist_ok=True
                )
            )
        for step in plan.steps:
            self._commit(step)
            note(f"{step.name}: {len(step.changes)} files")
        return self._remote().head

    def check_tag(self, tag: str, plan: Plan) -> None:
        """Refuse a tag that could not be given once a plan is done.

        Raises:
            DatasetError: another commit has it, or git takes no such name.
        """
        check_tag_name(tag)
        if plan.head:
            self._check_free(tag, "" if plan.steps else plan.head)

    def tag(self, tag: str, commit: str) -> None:
        """Give a commit a release's name.

        Raises:
            DatasetError: another commit has it.
        """
        self._check_free(tag, commit)
        self._ask(
            lambda: self._api.create_tag(
                self._repo, tag=tag, revision=commit, repo_type="dataset", exist_ok=True
            )
        )

    def _check_free(self, tag: str, commit: str) -> None:
        refs = self._ask(lambda: self._api.list_repo_refs(self._repo, repo_type="dataset"))
        there = {ref.name: ref.target_commit for ref in refs.tags}
        if there.get(tag, commit) != commit:
            raise DatasetError(
                f"{self._repo} has the tag {tag} on {there[tag][:12]}; releases do not move: "
                "choose another name"
            )

    def _check_card(self, remote: Remote) -> None:
        """Refuse to put a dataset's card and files over those of another of ours."""
        there = remote.hashes.get(CARD, "")
        if not there or there == hash_like(self._folder / CARD, there):
            return
        found = find_dataset(self._remote_card(remote))
        if found not in (None, self._dataset):
            raise DatasetError(
                f"{self._repo} holds {found.name}, {self._folder} {self._dataset.name}; each has "
                "a repository of its own"
            )

    def _remote_card(self, remote: Remote) -> str:
        """Return the repository's card; empty where it has none."""
        if CARD not in remote.hashes:
            return ""
        with tempfile.TemporaryDirectory() as folder:
            path = self._ask(
                lambda: self._api.hf_hub_download(
                    self._repo, CARD, repo_type="dataset", revision=remote.head, local_dir=folder
                )
            )
            return Path(path).read_text(encoding="utf-8", errors="replace")

    def _step_names(self) -> Iterator[str]:
        """Yield configs that have files, the card, then configs that have none any more."""
        here = [c.name for c in self._dataset.configs if list_shards(self._folder, c)]
        yield from here
        yield "card"
        yield from (c.name for c in self._dataset.configs if c.name not in here)

    def _changes(self, step: str, remote: Remote) -> Iterator[Change]:
        local = self._local(step)
        for path, content in sorted(local.items()):
            size = len(content) if isinstance(content, bytes) else content.stat().st_size
            before = remote.hashes.get(path, "")
            if not before or before != hash_like(content, before):
                yield Change(path, "replace" if before else "add", size, before)
        for path, before in sorted(remote.hashes.items()):
            is_ours = path.startswith(f"{step}/") and path.endswith(".parquet")
            if is_ours and path not in local:
                yield Change(path, "delete", 0, before)

    def _local(self, step: str) -> dict[str, Path | bytes]:
        if step == "card":
            return {CROISSANT: self._croissant, CARD: self._folder / CARD}
        shards = list_shards(self._folder, self._dataset.config(step))
        return {str(shard.path): self._folder / shard.path for shard in shards}

    def _commit(self, step: Step) -> None:
        """Make one commit; what was done meanwhile is not done again."""
        for attempt in range(ATTEMPTS):
            remote = self._remote()
            changes = tuple(self._changes(step.name, remote))
            if not changes:
                return
            strange = [change for change in changes if change not in step.changes]
            is_ours = remote.hashes.get(CARD, "") in self._cards
            if not is_ours or any(change.path != CARD for change in strange):
                raise DatasetError(
                    f"{self._repo} was changed by others while it was being published; "
                    "look at the plan again"
                )
            try:
                self._api.create_commit(
                    self._repo,
                    [*self._operations(step.name, changes), *self._card(step.name, remote)],
                    commit_message=f"{step.name}: {_count(changes)}",
                    repo_type="dataset",
                    parent_commit=remote.head,
                )
            except hub_errors() as error:
                if not is_passing(error) or attempt == ATTEMPTS - 1:
                    raise refused(self._repo, error) from error
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
            else:
                return

    def _operations(self, step: str, changes: tuple[Change, ...]) -> "list[Operation]":
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        local = self._local(step)
        return [
            CommitOperationDelete(change.path)
            if change.action == "delete"
            else CommitOperationAdd(change.path, local[change.path])
            for change in changes
        ]

    def _card(self, step: str, remote: Remote) -> "Iterator[Operation]":
        """Yield the card that belongs to a config's files: `datasets` counts their rows by it."""
        from huggingface_hub import CommitOperationAdd

        if step != "card" and self._local(step):
            here = (self._folder / CARD).read_text(encoding="utf-8")
            card = merge_cards(self._dataset, here, self._remote_card(remote), step).encode()
            self._cards.add(hash_like(card, ""))
            yield CommitOperationAdd(CARD, card)

    def _remote(self) -> Remote:
        from huggingface_hub import RepoFile
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            head = self._ask(lambda: self._api.dataset_info(self._repo).sha) or ""
        except RepositoryNotFoundError:
            return Remote("", {})
        entries = self._ask(
            lambda: list(
                self._api.list_repo_tree(
                    self._repo, recursive=True, revision=head, repo_type="dataset"
                )
            )
        )
        return Remote(
            head,
            {
                entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id
                for entry in entries
                if isinstance(entry, RepoFile)
            },
        )

    def _ask(self, question: Callable[[], T]) -> T:
        """Return an answer of the Hub, which may take some attempts.

        Raises:
            RepositoryNotFoundError: there is no such repository, or not for us.
            DatasetError: the Hub refuses, or does not answer.
        """
        from huggingface_hub.errors import RepositoryNotFoundError

        for attempt in range(ATTEMPTS):
            try:
                return question()
            except RepositoryNotFoundError:
                raise
            except hub_errors() as error:
                if not is_passing(error) or attempt == ATTEMPTS - 1:
                    raise refused(self._repo, error) from error
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        raise AssertionError


def _count(changes: tuple[Change, ...]) -> str:
    counts = {
        action: sum(change.action == action for change in changes)
        for action in ("add", "replace", "delete")
    }
    return ", ".join(f"{action} {count}" for action, count in counts.items() if count)
