"""TOPIQ: pyiqa's call for each pair against ours, for one system and for twelve.

    OMP_NUM_THREADS=1 python benchmarks/score.py [--sides 256,512,1024] [--systems 12] [--repeats 3]

Random weights, which take the same time as trained ones. Both sides score the same tensors of the
same pictures: pyiqa pair by pair, ours with the references' features kept in memory. The sides take
turns; printed are medians of the repeats, a picture, and the greatest difference of a score.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from material import machine, save_topiq
from PIL import Image, ImageFilter

from evaluator.indicators import find_indicator

REFERENCES = 2


def main() -> None:
    """Print a line a size, indicator and number of systems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", default="256,512,1024")
    parser.add_argument("--systems", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print(machine(), flush=True)
    print(f"{'':<26}{'pyiqa':>9} {'ours':>9} {'wall':>7} {'processor':>10} {'differ':>9}")
    with tempfile.TemporaryDirectory() as name:
        save_topiq(Path(name) / "weights")
        for side in map(int, options.sides.split(",")):
            for indicator in ("topiq_fr", "topiq_nr"):
                for systems in (1, options.systems) if indicator == "topiq_fr" else (1,):
                    compare(Path(name) / "weights", indicator, side, systems, options)


def compare(weights: Path, name: str, side: int, systems: int, options: argparse.Namespace) -> None:
    """Score `systems` pictures of each reference both ways, in turn, and print a line."""
    import pyiqa
    import torch
    from torchvision.transforms.functional import to_tensor

    path = weights / f"{name.replace('_', '-')}.pth"
    metric = pyiqa.create_metric(
        name, backbone_pretrain=False, pretrained_model_path=str(path), device=options.device
    )
    truths = [Image.effect_noise((side, side), 40 + 20 * n).convert("RGB") for n in (0, 1)]
    has_reference = name == "topiq_fr"

    def theirs(pictures: list[Any]) -> list[float]:
        scores = []
        with torch.inference_mode():
            for truth, picture in zip(truths, pictures, strict=True):
                pair = [picture, truth] if has_reference else [picture]
                tensors = [to_tensor(p).unsqueeze(0).to(options.device) for p in pair]
                scores.append(float(metric(*tensors)))
        return scores

    wall: dict[str, list[float]] = {"pyiqa": [], "ours": []}
    cpu: dict[str, list[float]] = {"pyiqa": [], "ours": []}
    difference = 0.0
    for _ in range(options.repeats):
        # A new one each time: references are computed anew, as at the start of a run.
        indicator = find_indicator(name).load(path, options.device)
        took = {"pyiqa": Took(), "ours": Took()}
        for system in range(systems):
            blur = ImageFilter.GaussianBlur(0.5 + system / 4)
            pictures = [truth.filter(blur) for truth in truths]
            with took["pyiqa"]:
                expected = theirs(pictures)
            with took["ours"]:
                found = indicator.score(pictures, truths if has_reference else None)
            pairs = zip(expected, found, strict=True)
            difference = max(difference, *(abs(a - b) for a, b in pairs))
        for way, time_taken in took.items():
            wall[way].append(time_taken.wall / systems / REFERENCES)
            cpu[way].append(time_taken.cpu / systems / REFERENCES)
    walls = {way: statistics.median(values) for way, values in wall.items()}
    cpus = {way: statistics.median(values) for way, values in cpu.items()}
    label = f"{name} {side}x{side}, {systems} system{'s' if systems > 1 else ''}"
    print(
        f"{label:<26}{walls['pyiqa']:>9.3f} {walls['ours']:>9.3f} "
        f"{walls['pyiqa'] / walls['ours']:>6.2f}x {cpus['pyiqa'] / cpus['ours']:>9.2f}x "
        f"{difference:>9.1e}",
        flush=True,
    )


class Took:
    """Adds up the seconds of wall and processor of its blocks."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        """Start the clocks."""
        self.wall -= time.perf_counter()
        self.cpu -= time.process_time()

    def __exit__(self, *_: object) -> None:
        """Stop them."""
        self.wall += time.perf_counter()
        self.cpu += time.process_time()


if __name__ == "__main__":
    main()
