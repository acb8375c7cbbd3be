"""What a batch that does not fit on a GPU costs: real shortage, on a share of the GPU's memory.

    python benchmarks/out_of_memory.py [--model sd15] [--side 512] [--pictures 8]

Weights are random. The T2I model, and TOPIQ after it, are first given two pictures; then the
process may hold a fifth more than that took, and all pictures come as one batch. Printed is which
batches were tried, how many pictures came back, and whether they are those of smaller batches to
rounding. Runs on a GPU only: a processor's memory is not limited in this way.
"""

import argparse
import gc
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from batch import decode as decode_alone
from full_size import save
from material import machine, save_topiq
from PIL import Image

from evaluator.batches import BatchSizes
from evaluator.decoders import Received, find_decoder
from evaluator.indicators import find_indicator
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system


def main() -> None:
    """Run the two stages in turn and print a line of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["sdxl", "sd15", "tiny"], default="sd15")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--pictures", type=int, default=8)
    options = parser.parse_args()
    import torch

    if not torch.cuda.is_available():
        parser.error("no GPU here; tests/evaluator/test_faults.py injects the shortage instead")
    print(machine())
    print(f"{torch.cuda.get_device_name()}, {options.model}, {options.side}x{options.side}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = decode(save(options.model, folder / "model", "cuda"), options)
        torch.cuda.empty_cache()
        save_topiq(folder / "weights")
        score(folder / "weights" / "topiq-fr.pth", pictures)


def decode(model: Path, options: argparse.Namespace) -> list[Image.Image]:
    """Decode in text mode what does not fit, and return the pictures."""
    system = pin_system(f"diffusers:{model}?steps=4")
    decoder = find_decoder("diffusers").load(system, PROTOCOLS["demo-0"], "cuda")
    received = [
        Received(
            mode=Mode.TEXT,
            width=options.side,
            height=options.side,
            caption=f"Picture {number}.",
            start=None,
            seed=number,
        )
        for number in range(options.pictures)
    ]
    alone = decode_alone(decoder, received, 2)
    made, tried = squeeze(lambda batch: list(decoder.decode(batch)), received)
    pictures = [picture for picture in made if isinstance(picture, Image.Image)]
    report("decoding", tried, len(pictures), [np.asarray(p, int) for p in alone], pictures)
    return pictures


def score(weights: Path, pictures: Sequence[Image.Image]) -> None:
    """Score what does not fit against itself turned around."""
    indicator = find_indicator("topiq_fr").load(weights, "cuda")
    pairs = [(picture, picture.rotate(180)) for picture in pictures]

    def work(batch: list[tuple[Image.Image, Image.Image]]) -> list[Any]:
        return list(indicator.score([p for p, _ in batch], [t for _, t in batch]))

    alone = [value for pair in pairs for value in work([pair])]
    scores, tried = squeeze(work, pairs)
    report("scoring", tried, len(scores), alone, scores)


def squeeze(work: Callable[[list[Any]], list[Any]], items: Sequence[Any]) -> tuple[Any, list[int]]:
    """Return the answers for all items in little memory, and the sizes of the batches tried."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    work(list(items[:2]))
    enough = torch.cuda.max_memory_reserved()
    tried: list[int] = []

    def counted(batch: list[Any]) -> list[Any]:
        tried.append(len(batch))
        return work(batch)

    torch.cuda.empty_cache()
    with at_most(1.2 * enough):
        answers = BatchSizes(len(items)).run(
            counted, items, 1, too_large=lambda item, reason: (item, reason)
        )
    return answers, tried


@contextmanager
def at_most(held_bytes: float) -> Iterator[None]:
    """Let this process hold so much of the GPU's memory and no more."""
    import torch

    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(held_bytes / total)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def report(
    stage: str, tried: list[int], came: int, alone: Sequence[Any], together: Sequence[Any]
) -> None:
    """Print what was tried, what came of it and how far it is from what came without shortage."""
    values = [np.asarray(value, float) for value in together]
    furthest = max(
        float(np.abs(np.asarray(a, float) - b).max()) for a, b in zip(alone, values, strict=True)
    )
    print(f"{stage}: batches of {tried}, {came} came, at most {furthest:.2g} from those before")


if __name__ == "__main__":
    main()
