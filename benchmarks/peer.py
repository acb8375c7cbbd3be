"""The benchmark's released procedure against `cmc evaluate`: same models, same pictures.

    python benchmarks/peer.py [--pictures 64] [--block 16] [--lanes 2] [--steps 40]

The released scripts go picture by picture and mode by mode: open the reference, encode the prompt
and the picture, denoise, resize, save; a second script opens every pair and calls TOPIQ for each.
Captions and references are given to both sides. The models are the demo's T2I model and TOPIQ's
networks, all with random weights, at the pictures' own size. Each side has a process of its own.
Theirs has a torch thread for each core, as torch has by itself; ours has a lane for each core and
one thread a lane.

Blocks of pictures go through A, B, A, B: the released procedure and ours in turn. What is printed
are medians over the blocks. Loading is left out on theirs, and counted on ours.

Then, from nothing and by ours alone, ten decoders one after the other on the same pictures, a model
captioning and VVC coding: what the 1st, 2nd and 10th took and what they called.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from from_nothing import add_decoders
from material import ask_four_modes, machine, make_pictures, save_topiq, write_captions
from PIL import Image
from released import Released
from sides import Side

from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.captioners.file import read_captions
from evaluator.decode import decode_all
from evaluator.demo.models import build_t2i
from evaluator.encode import encode_all
from evaluator.receive import receive
from evaluator.run import evaluate
from protocol.records import Request, RunReport
from protocol.rules import Mode
from protocol.samples import list_samples
from protocol.versions import PROTOCOLS

PROTOCOL = PROTOCOLS["demo-1"]


def give_references(request: Request, bench: Bench, given: Path) -> None:
    """Write what the T2I model starts from; text mode has a picture for its size alone."""
    for file in encode_all(request, list_samples(bench.images), bench):
        start = receive(file.data, PROTOCOL).start
        picture = start or Image.new("RGB", (file.stream.width, file.stream.height))
        (given / file.mode).mkdir(parents=True, exist_ok=True)
        picture.save(given / file.mode / file.sample.name)


def main() -> None:
    """Print medians of both sides and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--block", type=int, default=16, help="pictures before sides change")
    parser.add_argument("--largest", type=int, default=512, help="largest side, from 256 to 512")
    parser.add_argument("--batch", type=int, default=4, help="our T2I model's")
    parser.add_argument("--settings", default="channels_last=true", help="of our T2I model")
    cores = os.cpu_count() or 1
    parser.add_argument("--lanes", type=int, default=cores, help="copies of our T2I model")
    parser.add_argument("--threads", type=int, default=cores, help="torch's, of the released way")
    parser.add_argument("--steps", type=int, default=PROTOCOL.steps, help="on both sides")
    parser.add_argument("--decoders", type=int, default=10, help="from nothing; 0 leaves it out")
    parser.add_argument("--images", type=Path, help="default: the demo's pictures")
    options = parser.parse_args()
    import torch

    print(machine(), flush=True)
    print(
        f"{options.pictures} pictures in blocks of {options.block}; ours with "
        f"batches of {options.batch}, {options.lanes} lanes of one thread and "
        f"{options.settings or 'no settings'}; theirs with {options.threads} threads; "
        f"{options.steps} steps"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pictures(
            options.images,
            folder / "all",
            options.pictures,
            largest=options.largest,
            of_a_size=options.batch,
        )
        save_topiq(folder / "weights")
        model = build_t2i(folder)
        paths = sorted((folder / "all").iterdir(), key=lambda path: path.stem.rsplit("_", 1)[1])
        with (
            Side(threads=options.threads) as theirs,
            Side(threads=1, keeps_freed_memory=True) as ours,
        ):
            theirs.run(load_released, model, folder / "weights", options.steps)
            ours.run(import_libraries)
            reports: list[RunReport] = []
            for start in range(0, len(paths), options.block):
                block = folder / f"block{start}"
                (block / "images").mkdir(parents=True)
                for path in paths[start : start + options.block]:
                    shutil.copy(path, block / "images")
                reports += run_block(block, model, options, theirs, ours)
                done = min(start + options.block, len(paths))
                print(f"  {done} of {len(paths)} done", flush=True)
                shutil.rmtree(block)
        print_table(theirs, ours, reports)
        if options.decoders:
            torch.set_num_threads(1)
            add_decoders(folder / "from-nothing", paths[:2], model, folder / "weights", options)


_RELEASED: list[Released] = []
"""In their process, the one that is loaded."""


def load_released(model: Path, weights: Path, steps: int) -> None:
    """Load their models."""
    _RELEASED.append(Released(model, weights, PROTOCOL, steps))


def import_libraries() -> None:
    """Import what the released side has imported by now; our models are loaded inside the time."""
    import pyiqa
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForText2Image

    del pyiqa, AutoPipelineForImage2Image, AutoPipelineForText2Image


def decode_released(given: Path, captions: Mapping[str, str], out: Path) -> None:
    """Paint every mode, one after the other."""
    for mode in Mode:
        _RELEASED[0].decode(mode, given, dict(captions), out)


def score_released(images: Path, out: Path) -> None:
    """Score every pair."""
    _RELEASED[0].score(images, out)


def decode_ours(request: Request, bench: Bench) -> None:
    """Decode what the cache has coded."""
    files = encode_all(request, list_samples(bench.images), bench)
    if request.t2i is None:
        raise AssertionError
    decode_all(request.t2i, PROTOCOL, files, bench)


def report_of(request: Request, bench: Bench) -> RunReport:
    """Evaluate, and return what the run says of itself."""
    return evaluate(request, bench).result.run


def run_block(
    folder: Path, model: Path, options: argparse.Namespace, theirs: Side, ours: Side
) -> list[RunReport]:
    """Run one block through both sides, part by part in turn; return our whole runs' reports."""
    images, weights = folder / "images", folder.parent / "weights"
    write_captions(images, folder / "captions.csv")
    captions = read_captions(folder / "captions.csv")

    def ask(settings: str = "") -> Request:
        t2i = f"diffusers:{model}?steps={options.steps}&{options.settings}{settings}"
        return ask_four_modes(images, f"file:{folder / 'captions.csv'}", t2i)

    def bench(name: str, **changes: Any) -> Bench:
        # The references are given to both sides.
        shutil.copytree(folder / "given-cache", folder / name, dirs_exist_ok=True)
        plain = Bench(
            images=images,
            cache=Cache(folder / name),
            weights=weights,
            device="cpu",
            batch_size=options.batch,
        )
        return replace(plain, lanes=options.lanes, **changes)

    (folder / "given-cache").mkdir()
    give_references(ask(), bench("given-cache-made"), folder / "given")
    shutil.copytree(folder / "given-cache-made", folder / "given-cache", dirs_exist_ok=True)

    theirs.take("decoding", decode_released, folder / "given", captions, folder / "out")
    apart = bench("apart")
    ours.take("decoding", decode_ours, ask(), apart)
    theirs.take("scoring", score_released, images, folder / "out")
    ours.take("scoring", report_of, ask(), apart)
    whole = bench("whole", features="float32")
    return [
        ours.take("first system", report_of, ask(), whole),
        ours.take("further system", report_of, ask("&guidance=7"), whole),
    ]


def print_table(theirs: Side, ours: Side, reports: Sequence[RunReport]) -> None:
    """Print a line a part: medians of both sides, and the median of the blocks' ratios."""
    for clock in (theirs.wall, theirs.cpu):
        # Two scripts, one after the other.
        clock["whole"] = [
            sum(pair) for pair in zip(clock["decoding"], clock["scoring"], strict=True)
        ]
    pairs = {"decoding": "decoding", "scoring": "scoring"}
    pairs |= {"first system": "whole", "further system": "whole"}
    print(f"{'seconds a block':<16} {'released':>9} {'ours':>9} {'wall':>7} {'processor':>10}")
    for part, other in pairs.items():
        ratios = [
            statistics.median(a / b for a, b in zip(their, our, strict=True))
            for their, our in (
                (theirs.wall[other], ours.wall[part]),
                (theirs.cpu[other], ours.cpu[part]),
            )
        ]
        print(
            f"{part:<16} {statistics.median(theirs.wall[other]):>9.2f} "
            f"{statistics.median(ours.wall[part]):>9.2f} {ratios[0]:>6.2f}x {ratios[1]:>9.2f}x"
        )
    idle = statistics.median(r.other_seconds / r.wall_seconds for r in reports)
    print(f"wall time in which no model, codec or indicator worked: {idle:.1%}")


if __name__ == "__main__":
    main()
