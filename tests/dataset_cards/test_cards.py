import json
from pathlib import Path
from typing import Any

import datasets
import mlcroissant
import pytest
from conftest import paint
from make_release import png

from dataset_cards.cards import dataset_of, parse_card, render_card
from dataset_cards.catalogue import DATASETS
from dataset_cards.croissant import REPOSITORY, describe
from dataset_cards.parquet import schema_of, write_rows
from dataset_cards.schema import Config, Dataset
from protocol.errors import DatasetError

CONFIGS = [
    pytest.param(dataset, config, id=f"{dataset.name} {config.name}")
    for dataset in DATASETS.values()
    for config in dataset.configs
]


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_a_card_is_what_follows_from_the_columns(dataset: Dataset) -> None:
    assert dataset.card == render_card(dataset), "run `python -m dataset_cards`"


@pytest.mark.parametrize(("dataset", "config"), CONFIGS)
def test_the_card_names_exactly_the_features_of_the_schema(
    dataset: Dataset, config: Config
) -> None:
    metadata, body = parse_card(dataset.card, dataset.name)
    (info,) = [i for i in metadata["dataset_info"] if i["config_name"] == config.name]
    features = datasets.Features._from_yaml_list(info["features"])
    assert features == config.features
    assert features == datasets.Features.from_arrow_schema(schema_of(config))
    for column in config.columns:
        assert f"| `{column.name}` | {column.dtype}" in body
        assert column.about


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_a_card_has_the_metadata_that_the_hub_asks_for(dataset: Dataset) -> None:
    metadata, _ = parse_card(dataset.card, dataset.name)
    assert metadata["license"] == "cc-by-4.0"
    assert metadata["pretty_name"] == dataset.name
    assert metadata["task_categories"]
    assert metadata["size_categories"]
    assert [entry["config_name"] for entry in metadata["configs"]] == [
        config.name for config in dataset.configs
    ]


def test_the_benchmark_s_card_says_what_readers_must_know() -> None:
    body = DATASETS["CMC-Bench"].card
    for words in ("Consent", "Offensive content", "Known faults", "Where the pictures are from"):
        assert words in body
    for source in ("pgc", "ugc", "movie", "game", "screen", "DALLE3", "Pixart"):
        assert f"`{source}`" in body


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_the_croissant_description_is_valid(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "croissant.json"
    description = describe(
        dataset,
        list(dataset.configs),
        url=f"https://huggingface.co/datasets/acme/{dataset.name}",
        date="2026-11-22",
        version="1.0.0",
    )
    path.write_text(json.dumps(description))
    metadata = mlcroissant.Dataset(jsonld=path).metadata
    assert not metadata.ctx.issues.errors
    assert not metadata.ctx.issues.warnings
    assert {record_set.id for record_set in metadata.record_sets} == {
        config.name for config in dataset.configs
    }
    assert {f.name for r in metadata.record_sets for f in r.fields} == {
        column.name
        for config in dataset.configs
        for column in config.columns
        if column.dtype != "binary"
    }


WRITTEN: dict[str, Any] = {
    "string": "a text",
    "strings": ["full", "text"],
    "bool": True,
    "int32": 3,
    "int64": 1 << 40,
    "float64": 0.1,
    "binary": b"CMC",
}
READ: dict[str, Any] = {**WRITTEN, "string": b"a text", "strings": [b"full", b"text"]}


@pytest.mark.parametrize(("dataset", "config"), CONFIGS)
def test_a_reader_of_the_croissant_description_finds_what_was_written(
    dataset: Dataset, config: Config, tmp_path: Path
) -> None:
    picture = paint(8, 6)
    written = {**WRITTEN, "image": {"bytes": png(picture), "path": "a.png"}}
    path = tmp_path / config.pattern.format(split="train")
    path.parent.mkdir(parents=True)
    write_rows(path, config, [{c.name: written[c.dtype] for c in config.columns}], "x")
    address = "https://huggingface.co/datasets/acme/x"
    description = describe(dataset, [config], url=address, date="2026-11-22", version="1.0.0")
    (tmp_path / "croissant.json").write_text(json.dumps(description))
    reader = mlcroissant.Dataset(tmp_path / "croissant.json", mapping={REPOSITORY: tmp_path})
    (found,) = reader.records(config.name)
    columns = {f"{config.name}/{c.name}": c for c in config.columns if c.dtype != "binary"}
    assert found.keys() == columns.keys()
    for key, column in columns.items():
        if column.dtype == "image":
            assert found[key].tobytes() == picture.tobytes()
        else:
            assert found[key] == READ[column.dtype]
    (about,) = (one["description"] for one in description["recordSet"])
    unread = [c.name for c in config.columns if c.dtype == "binary"]
    assert [name for name in unread if f"`{name}`" in about] == unread
    assert ("in the Parquet files alone" in about) is bool(unread)


def test_a_folder_without_a_card_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="card is written last"):
        dataset_of(tmp_path)


def test_a_stranger_s_card_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\npretty_name: Something\n---\n")
    with pytest.raises(DatasetError, match="card of 'Something'"):
        dataset_of(tmp_path)
