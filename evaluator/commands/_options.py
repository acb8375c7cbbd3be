"""Options that several commands share, with their environment variables."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._numbers import number, size_in_bytes, whole
from evaluator.commands._once import Once
from protocol.rules import Mode, Role
from protocol.versions import PROTOCOLS

if TYPE_CHECKING:
    from evaluator.bench import Bench
    from evaluator.progress import Reporter
    from protocol.records import Request
    from submission.evidence import Piece

DEFAULT_PROTOCOL = "cmc-1"
DEFAULT_CACHE = Path(os.environ.get("CMC_CACHE") or "~/.cache/cmc-bench")
"""A variable that is empty counts as one that is not there; as a path it would be this folder."""
DEFAULT_STORE = os.environ.get("CMC_STORE") or "cmc-store"
RAY_ACTORS = "encode=1x0,decode=1x0,score=1x0"


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add `--store`."""
    parser.add_argument(
        "--store",
        metavar="FOLDER|hub:ORG/NAME",
        default=DEFAULT_STORE,
        help="where requests and results are (default: $CMC_STORE, or the folder cmc-store)",
    )


def add_keep(parser: argparse.ArgumentParser) -> None:
    """Add `--store` to a command whose answer a store's page can show."""
    parser.add_argument(
        "--store",
        metavar="FOLDER|hub:ORG/NAME",
        default="",
        help="keep the answer beside this store's results, for its page to show",
    )


def keep(options: argparse.Namespace, answer: "Piece") -> None:
    """Bring an answer beside the results of the store that `--store` names, if any."""
    if options.store:
        from submission.evidence import put_evidence
        from submission.store import open_store

        put_evidence(open_store(options.store).beside, answer)


def keep_and_print(options: argparse.Namespace, answer: "Piece", text: str) -> None:
    """Keep an answer, and print it as text or JSON."""
    from protocol.jsonable import to_json

    keep(options, answer)
    print(to_json(answer) if options.json else text)


def add_systems(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is run on which pictures."""
    system = "NAME|ADAPTER:MODEL[@REVISION]"
    parser.add_argument(
        "--i2t", action=Once, metavar=system, help="e.g. file:captions.csv, llava-1.5"
    )
    parser.add_argument("--t2i", action=Once, metavar=system, help="e.g. start-image, realvis")
    parser.add_argument(
        "--strength-match",
        choices=["snr"],
        help="start the T2I model at the noise that the strength is for Stable Diffusion 1.5, "
        "whatever its scheduler; the same as the setting strength_match=snr",
    )
    parser.add_argument(
        "--codec", action=Once, metavar="NAME:QP", help="a plain codec instead: vvc:53"
    )
    parser.add_argument(
        "--role",
        choices=[Role.T2I.value, Role.I2T.value],
        default=Role.T2I.value,
        help="which half of the pair is compared (default: T2I)",
    )
    parser.add_argument(
        "--modes",
        default="",
        help="comma-separated: text,pixel,image,full (default: all that the systems can do)",
    )
    add_protocol(parser)
    add_images(parser)
    parser.add_argument("--dataset", help="what to call these pictures (default: folder's name)")


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that runs one system in many ways; `--out` is its own."""
    add_systems(parser)
    add_machine(parser)
    add_keep(parser)
    add_json(parser)


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add `--images`."""
    parser.add_argument(
        "--images",
        type=Path,
        required=True,
        metavar="DIR",
        help="ground truth: a folder of PNG files, or a dataset folder of `cmc dataset`",
    )


def images_from(options: argparse.Namespace) -> Path:
    """Return the folder of PNG files that `--images` stands for."""
    from evaluator.dataset.unpacking import plain_folder

    return plain_folder(options.images, cache_from(options))


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Add `--cache`."""
    parser.add_argument(
        "--cache",
        type=Path,
        default=DEFAULT_CACHE,
        help="folder of finished work (default: $CMC_CACHE, or ~/.cache/cmc-bench)",
    )


def cache_from(options: argparse.Namespace) -> Path:
    """Return the folder that `--cache` stands for, or the default where there is no such option."""
    from submission.folders import under_home

    return under_home(getattr(options, "cache", DEFAULT_CACHE))


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """Add `--protocol`."""
    parser.add_argument(
        "--protocol",
        choices=list(PROTOCOLS),
        default=DEFAULT_PROTOCOL,
        help=f"protocol version (default: {DEFAULT_PROTOCOL}; demo-0 needs no weights)",
    )


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add the options that change where a run computes, not what comes out."""
    add_cache(parser)
    add_weights(parser)
    parser.add_argument(
        "--cache-size",
        type=size_in_bytes,
        metavar="SIZE",
        help="after a run, delete what was used longest ago until at most this is left: 200G",
    )
    _add_speed(parser)


def _add_speed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--batch-size",
        type=whole(1),
        help="pictures decoded at once; halved when memory is short (default: 1 on a CPU, else 16)",
    )
    parser.add_argument(
        "--lanes",
        type=whole(1),
        default=1,
        help="copies of the T2I model that decode at the same time (default: 1)",
    )
    parser.add_argument(
        "--no-overlap",
        action="store_true",
        help="encode all, then decode all, then score all: less memory, more time",
    )
    parser.add_argument(
        "--keep-features",
        choices=["float16", "float32"],
        default="",
        help="keep what TOPIQ computes of references in the cache, for later systems: "
        "24 or 48 MB for a picture of 512x512",
    )
    parser.add_argument(
        "--engine",
        choices=["local", "ray"],
        default="local",
        help="ray spreads one run over a machine's GPUs or a cluster; pip install 'cmc-bench[ray]'",
    )
    parser.add_argument(
        "--actors",
        default=RAY_ACTORS,
        metavar="STAGE=NUMBERxGPUS,...",
        help=f"Ray's actors (default: {RAY_ACTORS}; GPUs may be fractions)",
    )
    parser.add_argument(
        "--price-per-hour",
        type=number(least=0, most=1e6),
        help="of this machine, for the cost in the run's report",
    )


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add `--weights` and `--device`."""
    parser.add_argument(
        "--weights",
        type=Path,
        help="folder with topiq-fr.pth, topiq-nr.pth and sha256sums.txt "
        "(default: the released files, fetched from the Hub)",
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add `--device`; a command that has it computes, and keeps what memory it frees."""
    parser.set_defaults(computes=True)
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:NUMBER or auto (default)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def request_from(options: argparse.Namespace, submitter: str) -> "Request":
    """Return the request that the options of `add_systems` describe."""
    from evaluator.requests import dataset_name, make_request

    images = images_from(options)
    return make_request(
        role=Role(options.role),
        i2t=options.i2t,
        t2i=t2i_from(options),
        codec=options.codec,
        modes=parse_modes(options.modes),
        protocol=options.protocol,
        images=images,
        dataset=dataset_name(images, options.dataset or options.images.resolve().name),
        submitter=submitter,
    )


def t2i_from(options: argparse.Namespace) -> str | None:
    """Return the text of the T2I model with the settings that have an option of their own."""
    from protocol.errors import InputError

    text: str | None = options.t2i
    if options.strength_match is None:
        return text
    if not text:
        raise InputError("--strength-match is about the T2I model; name one with --t2i")
    return f"{text}{'&' if '?' in text else '?'}strength_match={options.strength_match}"


def bench_from(options: argparse.Namespace, report: "Reporter | None" = None) -> "Bench":
    """Return the bench that the options of `add_machine` describe."""
    from evaluator.bench import Bench
    from evaluator.cache import Cache
    from evaluator.devices import choose_device
    from evaluator.progress import silent

    device = choose_device(options.device)
    actors = options.actors if options.engine == "ray" else ""
    if actors:
        from evaluator.ray_engine import parse_actors

        # A slip in it must stop no run half-way.
        parse_actors(actors)
    return Bench(
        images=images_from(options),
        cache=Cache(cache_from(options)),
        weights=options.weights,
        device=device,
        # On a CPU a batch gains little and takes memory.
        batch_size=options.batch_size or (1 if device == "cpu" else 16),
        report=report or silent,
        overlap=not options.no_overlap,
        lanes=options.lanes,
        features=options.keep_features,
        price_per_hour=options.price_per_hour,
        cache_bytes=options.cache_size,
        actors=actors,
    )


def parse_modes(text: str) -> list[Mode]:
    """Return the modes of a comma-separated list, in the order given, each once.

    Raises:
        InputError: one of them is none.
    """
    from protocol.errors import InputError

    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(Mode)]
    if unknown:
        raise InputError(f"no mode {', '.join(unknown)}; there are {', '.join(Mode)}")
    return [Mode(name) for name in dict.fromkeys(names)]
