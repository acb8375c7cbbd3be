"""What the demo submits: baselines, codecs, and tiny models that stand in for real ones."""

from collections.abc import Iterator
from pathlib import Path

from evaluator.demo.models import build_i2t, build_t2i
from evaluator.demo.pictures import captions_file
from evaluator.requests import make_request
from protocol.records import Request
from protocol.rules import Role

DATASET = "demo"
CODECS = (
    *("vvc:53", "vvc:47", "vvc:41"),
    *("hevc:51", "hevc:45", "hevc:39"),
    *("avc:51", "avc:45", "avc:39"),
)


def demo_requests(folder: Path, protocol: str) -> Iterator[Request]:
    """Yield the demo's requests; builds the tiny models in `folder` when they are not there."""
    captions = f"file:{captions_file()}"
    t2i = f"diffusers:{build_t2i(folder / 'models')}"
    i2t = f"transformers:{build_i2t(folder / 'models')}"
    pairs = (
        (Role.T2I, captions, "start-image"),
        (Role.T2I, captions, t2i),
        (Role.I2T, captions, t2i),
        (Role.I2T, i2t, t2i),
    )
    for role, encoder, decoder in pairs:
        yield _request(folder, protocol, role=role, i2t=encoder, t2i=decoder, codec=None)
    for codec in CODECS:
        yield _request(folder, protocol, role=Role.CODEC, i2t=None, t2i=None, codec=codec)


def _request(
    folder: Path, protocol: str, *, role: Role, i2t: str | None, t2i: str | None, codec: str | None
) -> Request:
    return make_request(
        role=role,
        i2t=i2t,
        t2i=t2i,
        codec=codec,
        modes=(),
        protocol=protocol,
        images=folder / "images",
        dataset=DATASET,
        submitter="demo",
    )
