"""The queue and the results of a store as Parquet datasets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataset_cards.cards import Inventory
from dataset_cards.layout import Shard
from dataset_cards.requests.build import event_row, request_row
from dataset_cards.requests.features import ASKED, EVENTS, REQUESTS
from dataset_cards.results.build import aggregate_rows
from dataset_cards.results.features import AGGREGATES, PER_IMAGE, RESULTS
from dataset_cards.schema import TEST
from evaluator.dataset.folder import finish, staged, write_shard
from protocol.errors import DatasetError
from protocol.files import sha256_of_file
from protocol.records import Result
from submission.store import Store

Row = dict[str, Any]


def build_requests(store: Store, out: Path) -> Inventory:
    """Make the dataset of requests and their histories.

    Raises:
        DatasetError: the store holds none; `datasets` loads no table without rows.
    """
    queue = store.queue()
    if not queue:
        raise DatasetError("the store holds no request")
    rows = [request_row(entry.request, entry.state) for entry in queue]
    events = [
        event_row(event) for entry in queue for event in store.events(entry.request.request_id)
    ]
    with staged(out) as staging:
        write_shard(staging, Shard(ASKED, (), TEST, 0), rows, map(repr, rows))
        write_shard(staging, Shard(EVENTS, (), TEST, 0), events, map(repr, events))
        return finish(staging, REQUESTS)


def build_results(store: Store, out: Path) -> Inventory:
    """Make the dataset of means and per-image scores.

    Raises:
        DatasetError: a per-image file is not the one that its result names.
    """
    results = store.results()
    if not results:
        raise DatasetError("the store holds no result")
    rows = [row for result in results for row in aggregate_rows(result)]
    with staged(out) as staging:
        write_shard(staging, Shard(AGGREGATES, (), TEST, 0), rows, map(repr, rows))
        for result in results:
            request_id = result.request.request_id
            shard = Shard(PER_IMAGE, (request_id,), TEST, 0)
            path = store.per_image_path(request_id)
            write_shard(staging, shard, _per_image(path, result), [result.per_image_sha256])
        return finish(staging, RESULTS)


def _per_image(path: Path, result: Result) -> Iterator[Row]:
    import pyarrow.parquet as pq

    if not path.is_file() or sha256_of_file(path) != result.per_image_sha256:
        raise DatasetError(f"{path} is missing, or not the table that its result was made from")
    for row in pq.read_table(path).to_pylist():
        yield {"request_id": result.request.request_id, **row}
