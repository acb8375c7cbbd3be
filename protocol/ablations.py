"""Ablations as records: what is varied, and what each value gave."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.rules import Mode
from protocol.statistics.bootstrap import Estimate
from protocol.statistics.components import Components

_PAPERS: Mapping[str, str] = {"P": "CMC-Bench's paper", "G": "the paper on GPT-4o"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """A plan file."""

    name: str
    title: str
    source: str
    """Where the paper has it; P is the CMC-Bench paper, G the one on GPT-4o."""
    vary: str
    """A protocol's variable, or `prompt`, which is a setting of the I2T model."""
    values: tuple[str, ...]
    modes: tuple[Mode, ...]
    indicators: tuple[str, ...]
    """Beside the protocol's own."""
    set_indicators: tuple[str, ...]
    codec: str
    """A codec that is run by itself at each value too; empty for none."""
    notes: str

    @property
    def cited(self) -> str:
        """Where one of the two papers has it, in words; empty for a plan of one's own."""
        paper, _, place = self.source.partition(" ")
        return f"{_PAPERS[paper]}, {place}" if paper in _PAPERS else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of what is varied, in one mode."""

    system: str
    """`system`, or the codec by itself."""
    value: str
    mode: Mode
    bits_per_pixel: float
    means: Mapping[str, Estimate | None]
    """By indicator, with intervals over the pictures; None where a picture was not scored."""
    sets: Mapping[str, float | None]
    """By indicator of sets; without an interval, for there is no score of one picture."""
    published: Mapping[str, float]
    """The paper's, on its own pictures, in our direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """What three decodings say of one indicator in one mode."""

    mode: Mode
    indicator: str
    components: Components


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationResult:
    """A plan that was run."""

    plan: Ablation
    system: str
    partner: str
    protocol: str
    dataset: str
    images: int
    points: tuple[Point, ...]
    repeated: tuple[Repeated, ...]
    """Only where the seed is what is varied."""
