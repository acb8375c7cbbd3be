"""The ground truth of a dataset folder as the plain folder of files that a run reads."""

import hashlib
import shutil
import uuid
from pathlib import Path

from dataset_cards.cards import is_dataset
from dataset_cards.cmc_bench.features import GROUND_TRUTH
from dataset_cards.layout import list_shards
from dataset_cards.parquet import read_rows
from protocol.errors import DatasetError
from protocol.files import sha256_of_file
from protocol.samples import parse_name


def plain_folder(images: Path, cache: Path) -> Path:
    """Return a folder of PNG files: `images` itself, or its pictures where it is a dataset folder.

    The files are the original ones, so they have the same fingerprint as the folder that the
    dataset was made from. They are unpacked once, into the cache.

    Raises:
        DatasetError: the dataset folder has no ground truth, or a picture is not its hash's.
        PictureError: a name is not the benchmark's, and so leads nowhere else.
    """
    if not is_dataset(images):
        return images
    paths = [images / shard.path for shard in list_shards(images, GROUND_TRUTH)]
    if not paths:
        raise DatasetError(f"{images} is a dataset folder without {GROUND_TRUTH.name}")
    digest = hashlib.sha256("".join(map(sha256_of_file, paths)).encode()).hexdigest()
    folder = cache / "ground-truth" / digest
    if folder.is_dir():
        return folder
    staging = folder.with_name(f".{digest}.{uuid.uuid4().hex}")
    staging.mkdir(parents=True)
    try:
        for path in paths:
            for row in read_rows(path, ["image", "name", "sha256"]):
                data = row["image"]["bytes"]
                if hashlib.sha256(data).hexdigest() != row["sha256"]:
                    raise DatasetError(f"{path}, {row['name']}: the sha256 is not the row's")
                (staging / parse_name(row["name"]).name).write_bytes(data)
        if not folder.is_dir():
            staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder
