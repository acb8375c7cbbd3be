"""Train small indicators on pictures whose opinion scores are known, and print how they agree.

    python benchmarks/training.py ../shared/images [FOLDER] [--only lpips --only topiq_fr …]

Real pictures, cut to 256 x 256, go through VVC at four QPs, blur and noise at five strengths each.
The "opinion" of each is computed. Consistency is 5 x MS-SSIM^2 on its reference. Perception is the
mean of that over all references with the same distortion: a picture alone does not show how much of
its reference is lost. No person has seen them, and the networks start from random weights: what is
shown is that the training works.
"""

import argparse
import csv
import io
import json
import os
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image, ImageFilter
from scipy import stats

from evaluator.codecs import load_codec
from evaluator.indicators import find_indicator
from evaluator.pictures import png_bytes, read_picture
from protocol.files import write_whole

RESULTS = Path(__file__).parent / "results" / "training.md"
SIDE = 256
QPS = (53, 47, 41, 35)
BLURS = (0.6, 1.0, 1.6, 2.6, 4.2)
NOISES = (4, 8, 16, 28, 48)
RUNS: Mapping[str, tuple[str, *tuple[object, ...]]] = {
    "LPIPS on AlexNet (consistency; its 1,152 head weights are trained)": (
        "lpips",
        *("--crop", 128, "--learning-rate", 3e-3, "--epochs", 4, "--batch-size", 16),
    ),
    "TOPIQ-FR on ResNet-18 (consistency)": (
        "topiq_fr",
        *("--backbone", "resnet18", "--crop", 96, "--learning-rate", 2e-4, "--epochs", 4),
    ),
    "TOPIQ-NR on ResNet-18 (perception)": (
        "topiq_nr",
        *("--backbone", "resnet18", "--crop", 96, "--learning-rate", 2e-4, "--epochs", 8),
    ),
    "CNNIQA (perception; one convolution, 0.7 M weights)": (
        "cnniqa",
        *("--crop", 128, "--learning-rate", 1e-3, "--epochs", 8),
    ),
}


def main() -> None:
    """Make the set, train, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("training-benchmark"))
    parser.add_argument("--pictures", type=int, default=40, help="how many references")
    names = [settings[0] for settings in RUNS.values()]
    parser.add_argument("--only", action="append", choices=names, help="default: all")
    options = parser.parse_args()
    make_set(options.images, options.folder, options.pictures)
    opinions = read_opinions(options.folder)
    lines = [
        "# Training indicators on opinions that are known",
        "",
        (
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, one thread on a machine of "
            f"{os.cpu_count()} cores with a load of {os.getloadavg()[1]:.0f}; "
            "`python benchmarks/training.py ../shared/images"
            f"{''.join(f' --only {name}' for name in options.only or ())}`."
        ),
        "",
        (
            f"{len(opinions['consistency'])} pictures of {options.pictures} references (VVC at QP "
            f"{QPS}, blur {BLURS}, noise {NOISES}), 256 x 256. The opinions are computed: "
            "consistency is 5 x MS-SSIM^2, perception its mean over all references with the same "
            "distortion. Who knew distortion and strength of a picture and not its reference would "
            f"order consistency with SRoCC {known_distortion(opinions):.3f}: it is no fair target "
            "for a no-reference indicator. The start is random weights; a fifth of the references "
            "is held out. No published weights and no person took part: the figures show that the "
            "training works and nothing about any indicator."
        ),
        "",
        "| indicator | epochs | seconds | held-out SRoCC before | after | resumed the same |",
        "|---|---|---|---|---|---|",
    ]
    for title, (name, *settings) in RUNS.items():
        if options.only and name not in options.only:
            continue
        lines.append(f"| {title} | {run(name, settings, options.folder)} |")
        print(lines[-1], flush=True)
    write_whole(RESULTS, ("\n".join(lines) + "\n").encode())


def make_set(images: Path, folder: Path, limit: int) -> None:
    """Write references, distorted pictures and their scores.

    The scores are written last: a folder that has them is taken as it is.
    """
    if (folder / "labels.csv").is_file():
        return
    vvc, ms_ssim = load_codec("vvc"), find_indicator("ms_ssim").load(None, "cpu")
    found = sorted(images.glob("*.png"))
    opinions: dict[str, dict[str, float]] = defaultdict(dict)
    # Evenly over the names, which begin with the content.
    for path in (found[place * len(found) // limit] for place in range(limit)):
        picture = read_picture(path)
        left, top = (picture.width - SIDE) // 2, (picture.height - SIDE) // 2
        truth = picture.crop((left, top, left + SIDE, top + SIDE))
        write_whole(folder / "references" / path.name, png_bytes(truth))
        made = {f"blur{s}": truth.filter(ImageFilter.GaussianBlur(s)) for s in BLURS}
        made |= {f"noise{s}": add_noise(truth, s) for s in NOISES}
        made |= {f"vvc{q}": vvc.decode(vvc.encode(truth, q), SIDE, SIDE) for q in QPS}
        for kind, distorted in made.items():
            name = f"{path.stem}_{kind}.png"
            write_whole(folder / "pictures" / name, png_bytes(distorted))
            (similarity,) = ms_ssim.score([distorted], [truth])
            opinions[kind][name] = 5 * max(0.0, similarity) ** 2
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("image", "dimension", "mos"))
    for by_name in opinions.values():
        writer.writerows((name, "consistency", f"{own:.6f}") for name, own in by_name.items())
        mean = f"{fmean(by_name.values()):.6f}"
        writer.writerows((name, "perception", mean) for name in by_name)
    write_whole(folder / "labels.csv", text.getvalue().encode())


def read_opinions(folder: Path) -> Mapping[str, Mapping[str, float]]:
    """Return the opinions by dimension and picture."""
    opinions: dict[str, dict[str, float]] = defaultdict(dict)
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            opinions[row["dimension"]][row["image"]] = float(row["mos"])
    return opinions


def known_distortion(opinions: Mapping[str, Mapping[str, float]]) -> float:
    """Return how far the distortions' means order the pictures' own opinions."""
    pictures = list(opinions["consistency"])
    own, mean = (
        [opinions[part][name] for name in pictures] for part in ("consistency", "perception")
    )
    return float(stats.spearmanr(own, mean).statistic)


def add_noise(picture: Image.Image, deviation: float) -> Image.Image:
    """Return a picture with white noise."""
    rng = np.random.default_rng(int(deviation * 1000))
    values = np.asarray(picture, dtype=np.float64)
    noisy = values + rng.normal(0, deviation, values.shape)
    return Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8))


def run(name: str, settings: Sequence[object], folder: Path) -> str:
    """Train by the command, once whole and once stopped half-way and resumed."""
    started = time.perf_counter()
    whole = train(name, settings, folder, folder / f"{name}-whole")
    seconds = time.perf_counter() - started
    epochs = len(whole) - 1
    half = [str(item) for item in settings]
    half[half.index("--epochs") + 1] = str(epochs // 2)
    train(name, half, folder, folder / f"{name}-halves")
    resumed = train(name, [*settings, "--resume"], folder, folder / f"{name}-halves")
    same = "yes" if resumed == whole else "NO"
    before, after = whole[0]["srocc"], whole[-1]["srocc"]
    return f"{epochs} | {seconds:.0f} | {before:.3f} | {after:.3f} | {same}"


def train(name: str, settings: Sequence[object], folder: Path, out: Path) -> list[dict[str, float]]:
    """Run `cmc indicators train` and return its epochs."""
    command = ["indicators", "train", name, "--from-scratch", "--json", "--out", out, *settings]
    command += ["--labels", folder / "labels.csv", "--pictures", folder / "pictures"]
    command += ["--references", folder / "references"]
    done = subprocess.run(
        [sys.executable, "-m", "evaluator", *map(str, command)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    history: list[dict[str, float]] = json.loads(done.stdout)
    return history


if __name__ == "__main__":
    main()
