"""Cards: what a person wrote, and the configs, features and column tables that follow from it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_cards.catalogue import DATASETS
from dataset_cards.layout import CARD
from dataset_cards.schema import Config, Dataset
from protocol.errors import DatasetError

_FRONT = re.compile(r"\A---\n(?P<yaml>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
_TABLES = re.compile(r"(<!-- columns -->\n).*?(<!-- end of columns -->)", re.DOTALL)
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True, slots=True)
class SplitSize:
    """What the files of one split hold."""

    rows: int
    files_bytes: int


Inventory = Mapping[str, Mapping[str, SplitSize]]
"""Sizes by config and split; configs without files are absent."""


def parse_card(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Return a card's metadata and its text.

    Raises:
        DatasetError: there is no metadata block, or it is no YAML mapping.
    """
    import yaml

    match = _FRONT.match(text)
    if match is None:
        raise DatasetError(f"{where} has no metadata between two lines of ---")
    try:
        metadata = yaml.safe_load(match["yaml"])
    except yaml.YAMLError as error:
        raise DatasetError(f"{where}: the metadata is no YAML: {error}") from error
    if not isinstance(metadata, dict):
        raise DatasetError(f"{where}: the metadata is no mapping")
    return metadata, match["body"]


def dataset_of(folder: Path) -> Dataset:
    """Return which dataset a folder holds, by its card.

    Raises:
        DatasetError: there is no card, or it is of none of ours.
    """
    path = folder / CARD
    if not path.is_file():
        raise DatasetError(
            f"{path} is missing; a dataset's card is written last, so {folder} is none, or not done"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is no UTF-8: {error}") from error
    metadata, _ = parse_card(text, str(path))
    name = str(metadata.get("pretty_name"))
    if name not in DATASETS:
        raise DatasetError(f"{path} is the card of {name!r}; there are {', '.join(DATASETS)}")
    return DATASETS[name]


def find_dataset(card: str) -> Dataset | None:
    """Return which dataset a card is of; None where it is none of ours."""
    try:
        metadata, _ = parse_card(card, CARD)
    except DatasetError:
        return None
    return DATASETS.get(str(metadata.get("pretty_name")))


def is_dataset(folder: Path) -> bool:
    """Return whether a folder's card is one of ours; any folder may have a README of its own."""
    try:
        dataset_of(folder)
    except DatasetError:
        return False
    return True


def render_card(dataset: Dataset, inventory: Inventory | None = None) -> str:
    """Return the card with its generated parts.

    Args:
        dataset: whose card.
        inventory: what a folder holds; None for the card as it stands in this repository, with
            every config and no sizes.
    """
    metadata, body = parse_card(dataset.card, dataset.name)
    configs = [c for c in dataset.configs if inventory is None or c.name in inventory]
    metadata["configs"] = [
        _data_files(config, (inventory or {}).get(config.name), is_default=config is configs[0])
        for config in configs
    ]
    metadata["dataset_info"] = [
        _dataset_info(config, (inventory or {}).get(config.name)) for config in configs
    ]
    if inventory:
        rows = max(sum(size.rows for size in splits.values()) for splits in inventory.values())
        metadata["size_categories"] = [next((c for n, c in _SIZES if rows < n), "1M<n<10M")]
    tables = "\n".join(_table(config) for config in configs)
    return _join(metadata, _TABLES.sub(lambda match: f"{match[1]}{tables}{match[2]}", body))


def merge_cards(dataset: Dataset, here: str, there: str, config: str) -> str:
    """Return a folder's card for a repository that has one config of it, and others as before.

    Args:
        dataset: whose cards.
        here: the folder's card.
        there: the repository's; empty, or one of other make, where it has none of ours.
        config: the one that the repository has from the folder.
    """
    metadata, body = parse_card(here, CARD)
    before = parse_card(there, CARD)[0] if find_dataset(there) is dataset else {}
    for key in ("configs", "dataset_info"):
        entries = {entry["config_name"]: entry for entry in before.get(key, [])}
        entries |= {e["config_name"]: e for e in metadata[key] if e["config_name"] == config}
        metadata[key] = [entries[c.name] for c in dataset.configs if c.name in entries]
    first, *others = (
        {"config_name": entry["config_name"], "data_files": entry["data_files"]}
        for entry in metadata["configs"]
    )
    default = {"config_name": first.pop("config_name"), "default": True, **first}
    return _join({**metadata, "configs": [default, *others]}, body)


def _join(metadata: Mapping[str, Any], body: str) -> str:
    import yaml

    front = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{front}---\n{body}"


def _data_files(
    config: Config, splits: Mapping[str, SplitSize] | None, *, is_default: bool
) -> dict[str, Any]:
    entry: dict[str, Any] = {"config_name": config.name}
    if is_default:
        entry["default"] = True
    entry["data_files"] = [
        {"split": str(split), "path": config.pattern.format(split=split)}
        for split in _present(config, splits)
    ]
    return entry


def _dataset_info(config: Config, splits: Mapping[str, SplitSize] | None) -> dict[str, Any]:
    info: dict[str, Any] = {
        "config_name": config.name,
        "features": config.features._to_yaml_list(),
    }
    if splits is not None:
        info["splits"] = [
            {
                "name": str(split),
                "num_bytes": splits[split].files_bytes,
                "num_examples": splits[split].rows,
            }
            for split in _present(config, splits)
        ]
        total = sum(size.files_bytes for size in splits.values())
        info |= {"download_size": total, "dataset_size": total}
    return info


def _present(config: Config, splits: Mapping[str, SplitSize] | None) -> Sequence[str]:
    return [split for split in config.splits if splits is None or split in splits]


def _table(config: Config) -> str:
    lines = [
        f"### `{config.name}`\n",
        f"{config.about} Splits: {', '.join(f'`{split}`' for split in config.splits)}. "
        f"Files: `{config.pattern.format(split='SPLIT')}`"
        + (f", a folder for each {', then '.join(config.parts)}." if config.parts else "."),
        "",
        "| column | type | what |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{column.name}` | {column.dtype}{' or none' if column.optional else ''} "
        f"| {column.about} |"
        for column in config.columns
    ]
    return "\n".join(lines) + "\n"
