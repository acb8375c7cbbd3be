"""TOPIQ: pyiqa's call for each pair against ours, for one system in four modes and for twelve.

    python benchmarks/score.py [--sides 256,512,1024] [--systems 12] [--references 2] [--repeats 3]

Random weights, which take the same time as trained ones. Both sides score the same pictures of the
same references, four of each a system as the modes give them: pyiqa pair by pair, ours with the
references' features kept in memory from the first picture on. Each side has a process of its own
with one torch thread, ours keeps freed memory as `cmc evaluate` does. The sides take turns; printed
are medians of the repeats, a picture, and the greatest difference of a score; on a GPU also how far
it is from the processor on the pairs that each run scores first.
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from material import machine, save_topiq
from PIL import Image, ImageFilter
from sides import Side

from evaluator.calibration import scores_of_pairs
from evaluator.indicators import find_indicator
from evaluator.lazy_indicator import LazyIndicator
from protocol.calibration import difference
from protocol.rules import Mode


def main() -> None:
    """Print a line a size, indicator and number of systems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", default="256,512,1024")
    parser.add_argument("--systems", type=int, default=12)
    parser.add_argument("--references", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-tf32", action="store_true", help="on a GPU, full float32 for both")
    options = parser.parse_args()
    print(machine(), flush=True)
    print(f"{'':<34}{'pyiqa':>9} {'ours':>9} {'wall':>7} {'processor':>10} {'differ':>9}")
    with tempfile.TemporaryDirectory() as name:
        weights = Path(name) / "weights"
        save_topiq(weights)
        for side in map(int, options.sides.split(",")):
            for indicator in ("topiq_fr", "topiq_nr"):
                for systems in (1, options.systems) if indicator == "topiq_fr" else (1,):
                    compare(weights, indicator, side, systems, options)
        if options.device != "cpu":
            for indicator in ("topiq_fr", "topiq_nr"):
                with Side(threads=1) as ours:
                    if options.no_tf32:
                        ours.run(forbid_tf32)
                    off = ours.run(calibrate, indicator, weights, options.device)
                print(f"{indicator} of the calibration pairs, from the processor's: {off:.1e}")


def compare(weights: Path, name: str, side: int, systems: int, options: argparse.Namespace) -> None:
    """Score every system's pictures both ways, in turn, and print a line."""
    path = weights / f"{name.replace('_', '-')}.pth"
    difference = 0.0
    with Side(threads=1) as theirs, Side(threads=1, keeps_freed_memory=True) as ours:
        if options.no_tf32:
            theirs.run(forbid_tf32)
            ours.run(forbid_tf32)
        theirs.run(load_pyiqa, name, path, options.device)
        ours.run(load_ours, name, path, options.device)
        first = (name == "topiq_fr", side, 1, 1)
        theirs.run(score_by_pyiqa, *first, options.device)
        ours.run(score_by_ours, *first)
        for process in (theirs, ours):
            process.run(prepare, side, systems, options.references)
        for _ in range(options.repeats):
            # A new one each time: references are computed anew, as at the start of a run.
            ours.run(load_ours, name, path, options.device)
            work = (name == "topiq_fr", side, systems, options.references)
            expected = theirs.take("score", score_by_pyiqa, *work, options.device)
            found = ours.take("score", score_by_ours, *work)
            pairs = zip(expected, found, strict=True)
            difference = max(difference, *(abs(a - b) for a, b in pairs))
    pictures = systems * len(Mode) * options.references
    walls = [statistics.median(part.wall["score"]) / pictures for part in (theirs, ours)]
    cpus = [statistics.median(part.cpu["score"]) / pictures for part in (theirs, ours)]
    label = f"{name} {side}x{side}, {systems} x {len(Mode)} pictures"
    print(
        f"{label:<34}{walls[0]:>9.3f} {walls[1]:>9.3f} {walls[0] / walls[1]:>6.2f}x "
        f"{cpus[0] / cpus[1]:>9.2f}x {difference:>9.1e}",
        flush=True,
    )


_TOGETHER = 16

_LOADED: dict[str, Any] = {}
"""In a side's process, what it scores with."""


def forbid_tf32() -> None:
    """Let a GPU's convolutions keep all of float32's digits, which torch does not ask for."""
    import torch

    torch.backends.cudnn.allow_tf32 = False


def load_pyiqa(name: str, weights: Path, device: str) -> None:
    """Load their metric."""
    import pyiqa

    _LOADED["pyiqa"] = pyiqa.create_metric(
        name, backbone_pretrain=False, pretrained_model_path=str(weights), device=device
    )


def load_ours(name: str, weights: Path, device: str) -> None:
    """Load our indicator."""
    _LOADED["ours"] = find_indicator(name).load(weights, device)


def calibrate(name: str, weights: Path, device: str) -> float:
    """Return how far a device's scores of the calibration pairs are from the processor's."""
    there, here = (
        scores_of_pairs(LazyIndicator(name, weights, on), None) for on in ("cpu", device)
    )
    return difference(there, here)


def prepare(side: int, systems: int, references: int) -> None:
    """Make the pictures before the clock runs."""
    make_pictures(side, systems, references)


@cache
def make_pictures(
    side: int, systems: int, references: int
) -> list[tuple[list[Image.Image], list[Image.Image]]]:
    """Return for each reference what the systems made of it in all modes, and it as often."""
    pairs = []
    for number in range(references):
        truth = Image.effect_noise((side, side), 40 + 20 * number).convert("RGB")
        blurs = [0.5 + made / 8 for made in range(systems * len(Mode))]
        made = [truth.filter(ImageFilter.GaussianBlur(blur)) for blur in blurs]
        pairs.append((made, [truth] * len(made)))
    return pairs


def score_by_pyiqa(
    has_reference: bool, side: int, systems: int, references: int, device: str
) -> Sequence[float]:
    """Return pyiqa's scores, one call a pair."""
    import torch
    from torchvision.transforms.functional import to_tensor

    scores = []
    with torch.inference_mode():
        for made, truths in make_pictures(side, systems, references):
            for picture, truth in zip(made, truths, strict=True):
                pair = [picture, truth] if has_reference else [picture]
                tensors = [to_tensor(p).unsqueeze(0).to(device) for p in pair]
                scores.append(float(_LOADED["pyiqa"](*tensors)))
    return scores


def score_by_ours(has_reference: bool, side: int, systems: int, references: int) -> Sequence[float]:
    """Return our scores, at most as many pictures at once as `cmc evaluate` does on a GPU."""
    scores: list[float] = []
    for made, truths in make_pictures(side, systems, references):
        for start in range(0, len(made), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            scores += _LOADED["ours"].score(made[part], truths[part] if has_reference else None)
    return scores


if __name__ == "__main__":
    main()
