"""A dataset folder on disk: shards that are done or absent, and the card that makes it one."""

import contextlib
import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataset_cards.cards import Inventory, SplitSize, render_card
from dataset_cards.croissant import describe
from dataset_cards.layout import CARD, CROISSANT, Shard, configs_in
from dataset_cards.parquet import Row, fingerprint_of, write_rows
from dataset_cards.schema import Dataset
from protocol.errors import DatasetError
from protocol.files import write_whole

OWNER = "lcysyzxdxc"
DATA_VERSION = "1.0.0"
LOCK = ".lock"
BEFORE = ".before"
"""Folder of what an earlier process left: taken again where it is the same, and else not kept."""


def write_shard(folder: Path, shard: Shard, rows: Iterable[Row], made_from: Iterable[str]) -> bool:
    """Write a shard unless it is there and was made from the same; say whether it was written.

    Args:
        folder: the dataset's.
        shard: which.
        rows: taken only when the shard is written.
        made_from: all that decides the rows.
    """
    digest = hashlib.sha256(repr(shard.config.columns).encode())
    for line in made_from:
        digest.update(f"\n{line}".encode())
    path, fingerprint = folder / shard.path, digest.hexdigest()
    if fingerprint_of(path) == fingerprint:
        return False
    before = folder / BEFORE / shard.path
    if fingerprint_of(before) == fingerprint:
        path.parent.mkdir(parents=True, exist_ok=True)
        before.replace(path)
        return False
    write_rows(path, shard.config, rows, fingerprint)
    return True


def inventory_of(folder: Path, dataset: Dataset) -> Inventory:
    """Return what a folder holds, from the files' footers.

    Raises:
        DatasetError: a file is no shard or cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    inventory: dict[str, dict[str, SplitSize]] = {}
    for config, shards in configs_in(folder, dataset):
        sizes = inventory.setdefault(config.name, {})
        for shard in shards:
            path = folder / shard.path
            try:
                rows = pq.read_metadata(path).num_rows
            except pa.ArrowInvalid as error:
                raise DatasetError(f"{path} cannot be read: {error}") from error
            before = sizes.get(shard.split, SplitSize(0, 0))
            sizes[shard.split] = SplitSize(
                before.rows + rows, before.files_bytes + path.stat().st_size
            )
    return inventory


def finish(folder: Path, dataset: Dataset) -> Inventory:
    """Write the Croissant description and, last, the card: from now on the folder is a dataset."""
    inventory = inventory_of(folder, dataset)
    write_whole(folder / CROISSANT, croissant_text(folder, dataset, f"{OWNER}/{dataset.name}"))
    write_whole(folder / CARD, render_card(dataset, inventory).encode())
    return inventory


def croissant_text(folder: Path, dataset: Dataset, repo: str = "") -> bytes:
    """Return the Croissant description of a folder as it stands in a repository.

    Args:
        folder: the dataset's.
        dataset: which one it is.
        repo: the repository; without, the one that the folder's description names.
    """
    before = read_croissant(folder)
    description = describe(
        dataset,
        [config for config, _ in configs_in(folder, dataset)],
        url=f"https://huggingface.co/datasets/{repo}" if repo else str(before.get("url")),
        date=before.get("datePublished", datetime.now(UTC).date().isoformat()),
        version=DATA_VERSION,
    )
    return json.dumps(description, indent=1, ensure_ascii=False).encode()


def read_croissant(folder: Path) -> dict[str, Any]:
    """Return a folder's Croissant description; empty where there is none that can be read."""
    try:
        found = json.loads((folder / CROISSANT).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Yield a folder that becomes `out` when the block ends without an error.

    A killed process, or an error, leaves whole shards there; the next one goes on with those that
    it would make itself, and leaves the others out: it may be about other pictures.

    Raises:
        DatasetError: `out` is there already, or another process works on it.
    """
    if out.exists():
        raise DatasetError(f"{out} is there already; give a new folder, or remove it")
    staging = out.with_name(f"{out.name}.partial")
    staging.mkdir(parents=True, exist_ok=True)
    with locked(staging):
        _set_aside(staging)
        yield staging
        shutil.rmtree(staging / BEFORE, ignore_errors=True)
    staging.rename(out)


def _set_aside(staging: Path) -> None:
    for path in list(staging.rglob("*.parquet")):
        place = path.relative_to(staging)
        if place.parts[0] != BEFORE:
            target = staging / BEFORE / place
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a dataset folder for this process, and clear what a killed one left half-written.

    Raises:
        DatasetError: another process holds it.
    """
    path = folder / LOCK
    with path.open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatasetError(f"another process is writing {folder}; wait for it") from None
        for half_written in folder.rglob(".*.parquet.*"):
            half_written.unlink()
        try:
            yield
        finally:
            path.unlink()
