"""What a run will take, said before a submitter confirms: GPU-minutes with their uncertainty.

One denoising step of a network takes

    2 x parameters x positions x share

operations, with a position for each 8x8 pixels of a UNet and each 16x16 of a transformer.
`benchmarks/flops.py` counts the shares on the networks of SD1.5, SDXL, PixArt, SD3 and FLUX
(`benchmarks/results/flops.md`); their spread is part of the uncertainty. A GPU reaches 20 to 50 %
of its data sheet's dense half-precision rate: that is an assumption, and the larger part of it.
Once a smoke test has run, its seconds take the formula's place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from protocol.gpus import GPUS
from protocol.records import Request
from protocol.rules import Mode
from protocol.versions import Protocol, find_protocol
from submission.facts import ModelFacts

UNET_SHARE = (0.076, 0.166)
TRANSFORMER_SHARE = (0.54, 1.34)
"""Lowest and highest of `benchmarks/results/flops.md`."""

UTILISATION = (0.5, 0.2)
"""Best and worst."""

PIXELS = 1024 * 768
"""Of a usual picture of the benchmark: 512 to 1024 a side, the longest side worked at as 1024."""

PROMPT_TOKENS = 1000
CAPTION_TOKENS = 40
BATCH = 8
SECONDS_A_SCORE = (0.05, 0.3)
"""One indicator of one picture: TOPIQ has 36 to 45 million parameters. An assumption."""

SMOKE_SPREAD = 1.4
"""Three pictures tell the mean of a thousand to about this factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """GPU-minutes of one request."""

    gpu: str
    gpu_minutes: float
    lowest: float
    highest: float
    basis: str
    """What the numbers come from."""

    @property
    def sentence(self) -> str:
        """What a submitter is shown."""
        return (
            f"about {_minutes(self.gpu_minutes)} GPU-minutes on one {self.gpu.upper()}, between "
            f"{_minutes(self.lowest)} and {_minutes(self.highest)} ({self.basis})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a request asks of its models."""

    protocol: Protocol
    modes: Sequence[Mode]
    images: int
    steps: int = 0
    """Of the T2I model, where they are not the protocol's."""
    guided: bool = True
    """Whether every step runs the network twice, with the prompt and without."""
    in_steps: bool = True
    """False for a network that restores a picture in one go, at its full size."""


def work_of(request: Request, facts: Mapping[str, ModelFacts], images: int) -> Work:
    """Return what a request asks, as far as its settings and its pipeline tell."""
    settings = request.t2i.settings if request.t2i else {}
    steps = settings.get("steps", "")
    pipeline = facts["t2i"].pipeline_class if "t2i" in facts else ""
    return Work(
        protocol=find_protocol(request.protocol),
        modes=request.modes,
        images=images,
        steps=int(steps) if steps.isdigit() else 0,
        # These were trained to follow the prompt in one pass.
        guided=not pipeline.startswith(("Flux", "ZImage", "LatentConsistency")),
        in_steps=request.t2i is None or request.t2i.adapter != "spandrel",
    )


def estimate_cost(
    work: Work, i2t: ModelFacts | None, t2i: ModelFacts | None, gpu: str = "a100"
) -> Cost:
    """Return the cost by the formula; None for a half that loads no model here."""
    bounds = []
    for end in (0, 1):
        decode = _decode_seconds(work, t2i, gpu, end) if t2i else 0.0
        caption = _caption_seconds(i2t, gpu, end) if i2t else 0.0
        with_caption = any(mode.has_caption for mode in work.modes)
        score = 2 * len(work.modes) * SECONDS_A_SCORE[end]
        load = sum(f.loaded_bytes for f in (i2t, t2i) if f) / (2e9 if end == 0 else 2e8)
        seconds = work.images * (decode + score + (caption if with_caption else 0.0)) + load
        bounds.append(seconds / 60)
    low, high = bounds
    return Cost(
        gpu=gpu,
        gpu_minutes=sqrt(low * high),
        lowest=low,
        highest=high,
        basis="by the models' parameters; a smoke test tells it better",
    )


def cost_from_smoke(work: Work, seconds: Mapping[Mode, float], gpu: str) -> Cost:
    """Return the cost from the seconds that a picture took in each mode."""
    minutes = work.images * sum(seconds[mode] for mode in work.modes) / 60
    return Cost(
        gpu=gpu,
        gpu_minutes=minutes,
        lowest=minutes / SMOKE_SPREAD,
        highest=minutes * SMOKE_SPREAD,
        basis="by the seconds of its smoke test",
    )


def _decode_seconds(work: Work, facts: ModelFacts, gpu: str, end: int) -> float:
    """Return the seconds of one picture in all modes, the least (0) or the most (1)."""
    rate = GPUS[gpu].tera_operations * 1e12 * UTILISATION[end]
    if not work.in_steps:
        return len(work.modes) * 2 * facts.main_parameters * PIXELS / rate
    is_unet = any(file.name.startswith("unet/") for file in facts.files)
    positions = PIXELS / (64 if is_unet else 256)
    share = (UNET_SHARE if is_unet else TRANSFORMER_SHARE)[end]
    operations = 2 * facts.main_parameters * positions * share
    asked = work.steps or work.protocol.steps
    steps = sum(max(1, int(asked * work.protocol.strength[mode])) for mode in work.modes)
    calls = steps * (2 if work.guided else 1)
    return calls * operations / rate


def _caption_seconds(facts: ModelFacts, gpu: str, end: int) -> float:
    """Return the seconds of one caption: the question at once, then a word at a time in batches."""
    card = GPUS[gpu]
    rate, bandwidth = card.tera_operations * 1e12, card.giga_bytes * 1e9
    question = 2 * facts.main_parameters * PROMPT_TOKENS / (rate * UTILISATION[end])
    token = 2 * facts.main_parameters / (bandwidth * UTILISATION[end]) / BATCH
    return question + CAPTION_TOKENS * token


def _minutes(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
