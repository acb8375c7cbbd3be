"""What a submission asks, where it stands and what came out: frozen, and JSON both ways."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from protocol.rules import Content, Dimension, Mode, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One model or codec, pinned: an adapter, what it loads, and exactly which version of it."""

    adapter: str
    """File name in `evaluator/captioners/`, `decoders/` or `codecs/`; `-` and `_` are the same."""
    model: str
    """Hub id, folder or file name, a codec's quality; empty where the adapter needs none."""
    revision: str
    """40 hex digits: the Hub commit, or a hash of a local model's files; empty where none."""
    path: str
    """Folder or file on the submitter's machine; empty for a Hub id. No part of the identity."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The adapter's own settings where they are not its defaults, as they were typed."""

    @property
    def label(self) -> str:
        """What people are shown."""
        if self.adapter in CODEC_NAMES:
            unit = "q" if self.adapter in HIGHER_IS_BETTER else "QP"
            return f"{CODEC_NAMES[self.adapter]} {unit} {self.model}"
        chosen = ", ".join(f"{name} {value}" for name, value in sorted(self._settings.items()))
        name = self.model or self.adapter
        return f"{name} ({chosen})" if chosen else name

    @property
    def identity(self) -> dict[str, object]:
        """What decides the system's output, and nothing else."""
        return {
            "adapter": self.adapter,
            "model": self.model,
            "revision": self.revision,
            "settings": self._settings,
        }

    @property
    def unplaced(self) -> "System":
        """The system without the folders of this machine; its identity is the same."""
        return replace(self, path="", settings=self._settings)

    @property
    def _settings(self) -> dict[str, str]:
        """The settings with folders by their name: where one lies is no part of the identity."""
        return {
            name: value.rpartition("/")[2] if value.startswith("/") else value
            for name, value in self.settings.items()
        }


CODEC_NAMES: Mapping[str, str] = {
    "vvc": "VVC",
    "hevc": "HEVC",
    "avc": "AVC",
    "av1": "AV1",
    "jpeg": "JPEG",
    "jxl": "JPEG XL",
    "webp": "WebP",
}
HIGHER_IS_BETTER = frozenset({"jpeg", "jxl", "webp"})
"""Codecs whose setting is a quality and not a QP."""


# Without slots: the id is kept in the record once it is known.
@dataclass(frozen=True, kw_only=True)
class Request:
    """A submission. Immutable; its id is a hash of what would change the result."""

    role: Role
    """What is compared: the I2T model, the T2I model, or a codec of its own."""
    i2t: System | None
    t2i: System | None
    codec: System | None
    modes: tuple[Mode, ...]
    protocol: str
    dataset: str
    dataset_sha256: str
    """Hash over the names and contents of the ground-truth images."""
    submitter: str
    submitted_at: str
    """UTC, ISO 8601."""
    fingerprints: tuple[str, ...] = field(default_factory=tuple)
    """Of the compared model's weights, one a variant; equal weights have one in common, whatever
    the model is called. Empty where they are not known."""
    declared: Mapping[str, str] = field(default_factory=dict)
    """What the submitter says of the model, by the names in `protocol.declared`."""

    @property
    def compared(self) -> System | None:
        """The system that the row is about."""
        return {Role.I2T: self.i2t, Role.T2I: self.t2i, Role.CODEC: self.codec}[self.role]

    @cached_property
    def request_id(self) -> str:
        """20 hex digits; an identical resubmission has the same, a new revision another."""
        key = {
            "role": self.role,
            **{
                part: system and system.identity
                for part, system in (("i2t", self.i2t), ("t2i", self.t2i), ("codec", self.codec))
            },
            "modes": sorted(self.modes),
            "protocol": self.protocol,
            "dataset": self.dataset,
            "dataset_sha256": self.dataset_sha256,
        }
        text = json.dumps(key, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    @property
    def unplaced(self) -> "Request":
        """The request without the folders of this machine; its id is the same."""
        i2t, t2i = (system and system.unplaced for system in (self.i2t, self.t2i))
        return replace(self, i2t=i2t, t2i=t2i)

    @property
    def label(self) -> str:
        """The name of the row: the system that is compared."""
        return self.compared.label if self.compared else ""

    @property
    def partner(self) -> str:
        """The other half of the pair; empty for a codec."""
        other = {Role.I2T: self.t2i, Role.T2I: self.i2t, Role.CODEC: None}[self.role]
        return other.label if other else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The mean of one indicator over the images of one content in one mode."""

    mode: Mode
    dimension: Dimension
    content: Content | None
    """None: all contents."""
    images: int
    not_scored: int
    mean: float | None
    """None when any image was not scored: a missing score is neither 0 nor left out in silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Mean size of the files of one mode, over the images of one content."""

    mode: Mode
    content: Content | None
    bits_per_pixel: float
    """Mean over the images of 8 x file bytes / pixels of the ground truth."""
    file_bytes: float
    text_bytes: float
    pixels_bytes: float
    image_bytes: float
    caption_bytes: float
    """The captions' raw UTF-8 length, for comparison with `text_bytes`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Mean seconds a picture took when it was first made; cached pictures keep their first time.

    Decoding includes the picture that was sent, also where two modes send the same one.
    """

    mode: Mode
    encode_seconds: float
    decode_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorUse:
    """Which indicator gave a dimension's scores."""

    dimension: Dimension
    name: str
    implementation: str
    """Library, version and what is done with its answer."""
    weights_sha256: str
    """Empty for an indicator without weights."""
    weights_origin: str
    """Where the weights file is from; empty without weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Everything one needs to know to get the numbers again."""

    libraries: Mapping[str, str]
    platform: str
    device: str
    ffmpeg: str
    codec: str
    """Encoder, preset, pixel format and version of the picture codec; empty where none is sent."""
    code_version: str
    indicators: tuple[IndicatorUse, ...]
    seed: int
    batch_size: int
    start_sigma: Mapping[Mode, float]
    """Mean noise level the decoder starts at, sigma / sigma_data; absent where there is none or
    where it is infinite, as pure noise is for flow matching."""
    started_at: str
    finished_at: str
    asked_sigma: Mapping[Mode, float] = field(default_factory=dict)
    """Mean noise level that was asked for; absent where the start was asked for by strength."""
    captions_cut: Mapping[Mode, int] = field(default_factory=dict)
    """How many pictures' captions the decoder's text encoders read only the beginning of; absent
    where that is not known."""
    t2i_details: Mapping[str, str] = field(default_factory=dict)
    """What the decoder found when it loaded: pipeline, scheduler, precision, variant, …"""
    calibration: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """What the indicators said of the pairs of `protocol.calibration`, by name; empty in results
    from before they were asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run took. A result from before there were reports has an empty one."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of all threads of the process; ffmpeg's processes are not in it."""
    other_seconds: float = 0.0
    """Wall time in which no model, codec or indicator worked."""
    busy_seconds: Mapping[str, float] = field(default_factory=dict)
    """By part: `caption`, `decode`, `calibration`, codecs and indicators by name. Parts overlap, so
    the sum may be more than the wall time."""
    pictures: Mapping[str, int] = field(default_factory=dict)
    """How many pictures each part worked on."""
    cache_hits: Mapping[str, int] = field(default_factory=dict)
    cache_misses: Mapping[str, int] = field(default_factory=dict)
    peak_memory_bytes: int = 0
    peak_gpu_bytes: int = 0
    smallest_batch: int = 0
    """Smaller than the batch size asked for where memory did not suffice."""
    operations: int | None = None
    """Floating-point operations of the T2I model's network, without text encoders and VAE; 0 where
    there is no network or none that is counted, None where a count failed."""
    flops_utilisation: float | None = None
    """Those operations over what the device's dense bf16 peak would have done in the seconds of
    `decode`; None where one of them is not known."""
    cost: float | None = None
    """Wall time at the machine's price, in the price's currency; None where none was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished request with its aggregates; the per-image scores lie beside it as Parquet."""

    schema_version: int
    request: Request
    source: str
    """`verified` (run here) or `self-reported`."""
    images: int
    scores: tuple[Score, ...]
    rates: tuple[Rate, ...]
    costs: tuple[Cost, ...]
    provenance: Provenance
    per_image_sha256: str
    audit: str = ""
    """What a maintainers' second run of a part found, in a sentence; the store fills it in for
    results that came with their request."""
    run: RunReport = field(default_factory=RunReport)

    @property
    def is_contradicted(self) -> bool:
        """Whether an audit found other scores than the submitter's."""
        return bool(self.audit) and self.source == "self-reported"
