"""Checks of a dataset folder: form for every dataset, contents for the benchmark."""

import json
from pathlib import Path

from dataset_cards.cards import Inventory, dataset_of, parse_card, render_card
from dataset_cards.cmc_bench.features import CMC_BENCH
from dataset_cards.cmc_bench.release import Release
from dataset_cards.layout import CARD, CROISSANT, Shard, configs_in
from dataset_cards.outputs.features import OUTPUTS
from dataset_cards.parquet import schema_of
from dataset_cards.schema import Dataset
from evaluator.dataset.faults import Faults
from evaluator.dataset.folder import croissant_text, inventory_of, read_croissant
from evaluator.dataset.tables import BenchmarkCheck, check_made, whole_rows
from evaluator.progress import Reporter, silent


def validate(folder: Path, release: Release, report: Reporter = silent) -> Inventory:
    """Look at every byte of a dataset folder and return what it holds.

    Args:
        folder: the dataset's.
        release: what the benchmark's own dataset must hold; the others have no such list.
        report: is told how many rows were looked at.

    Raises:
        DatasetError: something is missing or broken; the message names all of it.
    """
    dataset = dataset_of(folder)
    inventory = inventory_of(folder, dataset)
    faults = Faults()
    _check_form(folder, dataset, inventory, faults)
    # With another schema the rows would be read wrongly.
    faults.check(str(folder))
    rows = sum(size.rows for splits in inventory.values() for size in splits.values())
    with report("validate", rows) as advance:
        if dataset is CMC_BENCH:
            BenchmarkCheck(folder, release, faults, advance).run()
        elif dataset is OUTPUTS:
            check_made(folder, OUTPUTS.configs[0], None, faults, advance)
        else:
            for config in dataset.configs:
                for _ in whole_rows(folder, config, faults, advance):
                    pass
    faults.check(str(folder))
    return inventory


def _check_form(folder: Path, dataset: Dataset, inventory: Inventory, faults: Faults) -> None:
    known = {CARD, CROISSANT, *(config.name for config in dataset.configs)}
    for path in sorted(folder.iterdir()):
        # Git, the Hub's client and desktops keep theirs in names that begin with a dot.
        if path.name not in known and not path.name.startswith("."):
            faults.add(path.name, "is no part of the dataset")
    for _, shards in configs_in(folder, dataset):
        _check_schemas(folder, shards, faults)
        _check_numbers(shards, faults)
    found, _ = parse_card((folder / CARD).read_text(encoding="utf-8"), CARD)
    wanted, _ = parse_card(render_card(dataset, inventory), CARD)
    for key in ("configs", "dataset_info", "license", "size_categories"):
        if found.get(key) != wanted[key]:
            faults.add(f"{CARD}, {key}", "does not describe the files; build the folder again")
    if not (folder / CROISSANT).is_file():
        faults.add(CROISSANT, "missing")
    elif read_croissant(folder) != json.loads(croissant_text(folder, dataset)):
        faults.add(CROISSANT, "does not describe the files; build the folder again")


def _check_schemas(folder: Path, shards: list[Shard], faults: Faults) -> None:
    import pyarrow.parquet as pq

    for shard in shards:
        wanted = schema_of(shard.config)
        found = pq.read_schema(folder / shard.path)
        if not found.equals(wanted, check_metadata=False):
            names = set(found.names) ^ set(wanted.names)
            detail = f" in {', '.join(sorted(names))}" if names else ""
            faults.add(shard.path, f"the schema is not the card's{detail}")
        elif (found.metadata or {}).get(b"huggingface") != wanted.metadata[b"huggingface"]:
            faults.add(shard.path, "the features noted in the file are not the card's")


def _check_numbers(shards: list[Shard], faults: Faults) -> None:
    there = {(shard.parts, shard.split, shard.number) for shard in shards}
    for shard in shards:
        if shard.number and (shard.parts, shard.split, shard.number - 1) not in there:
            faults.add(shard.path, f"number {shard.number - 1} is missing before it")
