"""The ten pictures of the GPT-4o paper: DIV2K's first validation pictures as 1024x1024 squares.

DIV2K is for academic research and is not ours to pass on; this is made from a folder that the user
has, and is not to be published.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_cards.cards import Inventory
from dataset_cards.cmc_bench.build import picture_row, sample_row
from dataset_cards.cmc_bench.features import CMC_BENCH, GROUND_TRUTH
from dataset_cards.layout import cut
from evaluator.dataset.folder import finish, staged, write_shard
from evaluator.pictures import png_bytes, read_picture
from protocol.errors import DatasetError
from protocol.rules import Content
from protocol.samples import parse_name

if TYPE_CHECKING:
    from PIL.Image import Image

Row = dict[str, Any]
SIDE = 1024
FIRST, COUNT = 801, 10
"""DIV2K's validation pictures are 0801.png to 0900.png; the paper takes the first ten (G 4.1)."""


def build_div2k(source: Path, out: Path) -> Inventory:
    """Make a dataset folder of the squares; `cmc evaluate --images` takes it.

    Raises:
        DatasetError: a picture is missing; the message names all that are.
        PictureError: one is damaged.
    """
    paths = {int(p.stem): p for p in source.glob("*.png") if re.fullmatch("[0-9]{4}", p.stem)}
    wanted = range(FIRST, FIRST + COUNT)
    if missing := [f"{number:04d}.png" for number in wanted if number not in paths]:
        raise DatasetError(
            f"{source} lacks {', '.join(missing)}; wanted DIV2K's validation pictures in high "
            "resolution (DIV2K_valid_HR)"
        )
    chosen = [paths[number] for number in wanted]

    def rows(items: Sequence[Path]) -> Iterator[Row]:
        for path in items:
            square = crop_square(read_picture(path))
            sample = parse_name(f"{Content.NSI}_div2k_{path.stem}.png")
            picture = picture_row(sample.name, png_bytes(square), *square.size)
            yield {**sample_row(sample), **picture}

    with staged(out) as staging:
        for shard, group in cut(GROUND_TRUTH, (), {Content.NSI: chosen}):
            marks = [f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in group]
            write_shard(staging, shard, rows(group), marks)
        return finish(staging, CMC_BENCH)


def crop_square(picture: "Image") -> "Image":
    """Return a picture with its short side set to 1024 pixels, cut to the middle square (G 4.1).

    The filter is not stated; this is Lanczos, which is right for making pictures smaller.
    """
    from PIL import Image

    width, height = picture.size
    short = min(width, height)
    # The short side is exact by construction; only the long one is rounded.
    size = [SIDE if side == short else round(side * SIDE / short) for side in (width, height)]
    resized = picture.resize(size, Image.Resampling.LANCZOS)
    left, top = (resized.width - SIDE) // 2, (resized.height - SIDE) // 2
    return resized.crop((left, top, left + SIDE, top + SIDE))
