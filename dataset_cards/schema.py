"""Columns, configs and datasets as records: the one source of schema, card and Croissant."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import DatasetError

if TYPE_CHECKING:
    from datasets import Features

TEST = "test"
"""The split of a config that is not split by content."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a config."""

    name: str
    dtype: str
    """`image`, `strings` (a list), or a dtype of `datasets.Value`."""
    about: str
    """What it holds, with unit and direction; Markdown for the card."""
    optional: bool = False
    """Whether a row may have none."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One table of a dataset, stored as `NAME/PART/SPLIT-00000.parquet`."""

    name: str
    about: str
    columns: tuple[Column, ...]
    parts: tuple[str, ...] = ()
    """Columns that name the folders between config and file: what is read without the rest."""
    splits: tuple[str, ...] = (TEST,)

    @cached_property
    def features(self) -> "Features":
        """Return the features that the `datasets` library knows this table by."""
        from datasets import Features

        return Features({column.name: _feature(column.dtype) for column in self.columns})

    @property
    def pattern(self) -> str:
        """The files of one split, with `{split}` to be filled in."""
        return "/".join([self.name, *("*" for _ in self.parts), "{split}-*.parquet"])


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One repository on the Hub."""

    name: str
    """Without the owner; also the card's `pretty_name`, by which a folder is recognised."""
    folder: Path
    """Where its card lies."""
    configs: tuple[Config, ...]

    @property
    def card(self) -> str:
        """The card as it stands in this repository."""
        return (self.folder / "README.md").read_text(encoding="utf-8")

    def config(self, name: str) -> Config:
        """Return the config of this name.

        Raises:
            DatasetError: there is none.
        """
        for config in self.configs:
            if config.name == name:
                return config
        known = ", ".join(config.name for config in self.configs)
        raise DatasetError(f"{self.name} has no config {name!r}; there are {known}")


def _feature(dtype: str) -> object:
    from datasets import Image, List, Value

    if dtype == "image":
        return Image()
    return List(Value("string")) if dtype == "strings" else Value(dtype)
