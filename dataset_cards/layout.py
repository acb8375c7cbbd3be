"""Where a table's rows lie: the folder that is built and the repository have one layout."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from dataset_cards.schema import Config, Dataset
from protocol.errors import DatasetError

T = TypeVar("T")
CARD = "README.md"
CROISSANT = "croissant.json"
ROWS_IN_SHARD = 100
"""A shard of pictures has 70 to 200 MB: what a crash costs, and what a reader holds at a time."""

_SHARD = re.compile(r"(?P<split>\w+)-(?P<number>[0-9]{5})\.parquet")


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of a table."""

    config: Config
    parts: tuple[str, ...]
    split: str
    number: int

    @property
    def path(self) -> PurePosixPath:
        """Where it lies in the folder and in the repository."""
        name = f"{self.split}-{self.number:05d}.parquet"
        return PurePosixPath(self.config.name, *self.parts, name)


def slug(text: str) -> str:
    """Return a name as a folder's: letters, digits, `-`, `_`, `.` and `+`."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-.") or "none"


def list_shards(folder: Path, config: Config) -> list[Shard]:
    """Return a table's files by part, split and number; names that begin with a dot are no files.

    Raises:
        DatasetError: a file lies there that is no shard.
    """
    shards = []
    root = folder / config.name
    for path in sorted(root.rglob("*")) if root.is_dir() else []:
        inside = path.relative_to(root).parts
        if path.is_dir() or any(name.startswith(".") for name in inside):
            continue
        parts = inside[:-1]
        match = _SHARD.fullmatch(path.name)
        if not match or match["split"] not in config.splits or len(parts) != len(config.parts):
            wanted = config.pattern.format(split=config.splits[0])
            raise DatasetError(f"{path} is no file of {config.name}; wanted {wanted}")
        shards.append(Shard(config, parts, match["split"], int(match["number"])))
    order = {split: i for i, split in enumerate(config.splits)}
    return sorted(shards, key=lambda shard: (shard.parts, order[shard.split], shard.number))


def configs_in(folder: Path, dataset: Dataset) -> Iterator[tuple[Config, list[Shard]]]:
    """Yield each config that has files, with them."""
    for config in dataset.configs:
        if shards := list_shards(folder, config):
            yield config, shards


def cut(
    config: Config, parts: Sequence[str], groups: Mapping[str, Sequence[T]]
) -> Iterator[tuple[Shard, Sequence[T]]]:
    """Yield the shards of one part with the items of each, split by split."""
    for split in config.splits:
        items = groups.get(split, ())
        for start in range(0, len(items), ROWS_IN_SHARD):
            shard = Shard(config, tuple(parts), split, start // ROWS_IN_SHARD)
            yield shard, items[start : start + ROWS_IN_SHARD]
