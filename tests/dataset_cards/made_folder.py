"""A small dataset folder on its way to a repository of the loopback Hub."""

import zlib
from pathlib import Path

import numpy as np
from conftest import paint
from loopback_hub import LoopbackHub
from make_release import png
from PIL import Image

from dataset_cards.cmc_bench.build import caption_row, picture_row, sample_row
from dataset_cards.cmc_bench.features import CAPTIONS, CMC_BENCH, DISTORTED, GROUND_TRUTH
from dataset_cards.layout import Shard
from dataset_cards.parquet import Row, write_rows
from dataset_cards.publishing import Plan, Publication
from evaluator.dataset.folder import finish
from protocol.samples import parse_name

REPO = "acme/CMC-Bench"
SAMPLE = parse_name("NSI_pgc_000.png")


def noise(name: str, side: int) -> bytes:
    """Return a picture that no compression makes smaller."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return png(Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)))


def system_rows(system: str, side: int = 32) -> list[Row]:
    same = ("role", "i2t", "t2i", "codec", "mode", "status", "protocol", "request_id")
    return [
        {
            **sample_row(parse_name(f"NSI_pgc_{i:03d}.png")),
            **picture_row(f"{i}.png", noise(f"{system} {i}", side), side, side),
            **dict.fromkeys(same, system),
            **dict.fromkeys(("text_bits", "pixels_bits", "image_bits", "header_bits", "bits"), 8),
            "caption": None,
            "bits_per_pixel": 0.1,
            "file": b"x",
            "seed": 1,
        }
        for i in range(4)
    ]


def add_system(folder: Path, name: str, side: int = 32) -> int:
    """Write a system's pictures and return the size of its file."""
    shard = Shard(DISTORTED, ("T2I", name, "full"), "NSI", 0)
    write_rows(folder / shard.path, DISTORTED, system_rows(name, side), name)
    finish(folder, CMC_BENCH)
    return (folder / shard.path).stat().st_size


def make_folder(made: Path) -> Path:
    """Write a dataset folder with pictures, a caption and the pictures of two systems."""
    picture = picture_row(SAMPLE.name, png(paint(64, 64)), 64, 64)
    truth = Shard(GROUND_TRUTH, (), "NSI", 0)
    write_rows(made / truth.path, GROUND_TRUTH, [{**sample_row(SAMPLE), **picture}], "x")
    caption = caption_row(SAMPLE, "gpt4v", "A cat.", "released")
    write_rows(made / Shard(CAPTIONS, ("gpt4v",), "NSI", 0).path, CAPTIONS, [caption], "x")
    add_system(made, "one")
    add_system(made, "two")
    return made


def publication(folder: Path, hub: LoopbackHub, token: str | None = None) -> Publication:
    return Publication(folder, CMC_BENCH, REPO, b"{}", hub.api(token))


def publish(folder: Path, hub: LoopbackHub) -> tuple[Plan, str]:
    made = publication(folder, hub)
    plan = made.plan()
    return plan, made.publish(plan, lambda _: None)


def files(hub: LoopbackHub) -> set[str]:
    return set(hub.api().list_repo_files(REPO, repo_type="dataset")) - {".gitattributes"}


def titles(hub: LoopbackHub) -> list[str]:
    commits = hub.api().list_repo_commits(REPO, repo_type="dataset")
    return [commit.title for commit in commits][::-1]
