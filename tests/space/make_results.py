"""Builders for results that look like those of a run."""

from collections.abc import Mapping, Sequence

from protocol.records import Cost, IndicatorUse, Provenance, Rate, Request, Result, Score, System
from protocol.rules import Content, Dimension, Mode, Role

ALL_MODES = tuple(Mode)
CAPTIONER = "gpt4v.csv"
RATES = {Mode.TEXT: 0.0031, Mode.PIXEL: 0.0052, Mode.IMAGE: 0.0241, Mode.FULL: 0.0272}
_OFFSETS: Mapping[Content | None, float] = {
    None: 0.0,
    Content.NSI: 0.02,
    Content.SCI: -0.04,
    Content.AIGI: 0.01,
}


def make_result(
    model: str = "tiny-sd-random-weights",
    *,
    role: Role = Role.T2I,
    modes: Sequence[Mode] = ALL_MODES,
    consistency: float = 0.5,
    perception: float = 0.4,
    source: str = "verified",
    protocol: str = "demo-0",
    dataset: str = "demo",
    contents: Sequence[Content | None] = (None, *Content),
    rates: Mapping[Mode, float] = RATES,
    indicators: tuple[str, str] = ("ms_ssim", "piqe"),
    weights_origin: str = "",
    unscored: Sequence[Mode] = (),
) -> Result:
    """Return a result whose scores differ by mode and content in a known way."""
    return Result(
        schema_version=1,
        request=make_request(model, role=role, modes=modes, protocol=protocol, dataset=dataset),
        source=source,
        images=9,
        scores=tuple(
            make_score(mode, content, dimension, base, scored=mode not in unscored)
            for mode in modes
            for content in contents
            for dimension, base in ((Dimension.FR, consistency), (Dimension.NR, perception))
        ),
        rates=tuple(
            make_rate(mode, content, rates[mode]) for mode in modes for content in contents
        ),
        costs=tuple(
            Cost(mode=mode, encode_seconds=0.4, decode_seconds=1.5 + ALL_MODES.index(mode))
            for mode in modes
        ),
        provenance=make_provenance(indicators, weights_origin),
        per_image_sha256="0" * 64,
    )


def make_score(
    mode: Mode, content: Content | None, dimension: Dimension, base: float, *, scored: bool
) -> Score:
    """Return a score: consistency grows and perception falls from text to full."""
    sign = 1 if dimension is Dimension.FR else -1
    return Score(
        mode=mode,
        dimension=dimension,
        content=content,
        images=9 if content is None else 3,
        not_scored=0 if scored else 1,
        mean=base + 0.05 * ALL_MODES.index(mode) * sign + _OFFSETS[content] if scored else None,
    )


def make_codec(name: str, qp: int, *, bpp: float, consistency: float, perception: float) -> Result:
    """Return a codec's result in image mode, its only one."""
    return make_result(
        f"{name}:{qp}",
        role=Role.CODEC,
        modes=(Mode.IMAGE,),
        consistency=consistency,
        perception=perception,
        rates={Mode.IMAGE: bpp},
    )


def make_request(
    model: str, *, role: Role, modes: Sequence[Mode], protocol: str, dataset: str
) -> Request:
    """Return the request behind a result."""
    i2t = make_system("captions", CAPTIONER)
    t2i = make_system("diffusers", "RealVis")
    codec = None
    if role is Role.T2I:
        t2i = make_system("diffusers", model)
    elif role is Role.I2T:
        i2t = make_system("transformers", model)
    else:
        codec = make_system(*model.split(":"))
    return Request(
        role=role,
        i2t=None if codec else i2t,
        t2i=None if codec else t2i,
        codec=codec,
        modes=tuple(modes),
        protocol=protocol,
        dataset=dataset,
        dataset_sha256="1" * 64,
        submitter="someone",
        submitted_at="2026-11-22T00:00:00.000Z",
    )


def make_system(adapter: str, model: str) -> System:
    """Return a pinned system."""
    return System(adapter=adapter, model=model, revision="a" * 40, path="")


def make_rate(mode: Mode, content: Content | None, bits_per_pixel: float) -> Rate:
    """Return a rate of 512 x 512 pictures."""
    return Rate(
        mode=mode,
        content=content,
        bits_per_pixel=bits_per_pixel,
        file_bytes=bits_per_pixel * 512 * 512 / 8,
        text_bytes=100.0,
        pixels_bytes=0.0,
        image_bytes=0.0,
        caption_bytes=128.0,
    )


def make_provenance(indicators: tuple[str, str], weights_origin: str) -> Provenance:
    """Return what a run on this machine writes down."""
    return Provenance(
        libraries={"torch": "2.15.0"},
        platform="Linux",
        device="cpu",
        ffmpeg="9.0",
        codec="libvvenc intra, preset medium, ffmpeg 9.0",
        code_version="0.1.0",
        indicators=tuple(
            IndicatorUse(
                dimension=dimension,
                name=name,
                implementation="pyiqa 0.1.16",
                weights_sha256="2" * 64 if weights_origin else "",
                weights_origin=weights_origin,
            )
            for dimension, name in zip(Dimension, indicators, strict=True)
        ),
        seed=42,
        batch_size=1,
        start_sigma={},
        started_at="2026-11-22T00:00:00.000Z",
        finished_at="2026-11-22T00:10:00.000Z",
    )


def make_store() -> list[Result]:
    """Return about what a demo run leaves: decoders, captioners and codecs, and one nasty name."""
    decoders = [
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", 0.52, 0.61),
        ("SG161222/RealVisXL_V4.0", 0.58, 0.66),
        ("playgroundai/playground-v2.5-1024px-aesthetic", 0.55, 0.71),
        ("echo", 0.63, 0.31),
        ("tiny-sd-random-weights", 0.21, 0.35),
        ("<img src=x onerror=window.hacked=1>", 0.33, 0.42),
    ]
    results = [make_result(name, consistency=fr, perception=nr) for name, fr, nr in decoders]
    results += [
        make_result("only-full/decoder", modes=(Mode.FULL,), consistency=0.9, perception=0.9),
        make_result("DiffBIR", modes=(Mode.FULL, Mode.IMAGE), consistency=0.66, perception=0.58),
        make_result("someone/brought-numbers", source="self-reported", consistency=0.57),
        make_result("tiny-blip-random-weights", role=Role.I2T, consistency=0.41),
        make_result("caption-file gpt4v.csv", role=Role.I2T, consistency=0.47, perception=0.55),
    ]
    points = {
        "vvc": ((53, 0.024, 0.60, 0.18), (48, 0.050, 0.71, 0.30), (43, 0.101, 0.80, 0.42)),
        "hevc": ((51, 0.031, 0.55, 0.15), (46, 0.066, 0.67, 0.27), (41, 0.130, 0.77, 0.39)),
        "avc": ((51, 0.042, 0.48, 0.11), (46, 0.088, 0.61, 0.22), (41, 0.170, 0.72, 0.34)),
    }
    results += [
        make_codec(name, qp, bpp=bpp, consistency=fr, perception=nr)
        for name, codec_points in points.items()
        for qp, bpp, fr, nr in codec_points
    ]
    return results
