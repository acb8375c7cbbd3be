"""What the statistics of one board say: frozen, and JSON both ways."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.rules import Content, Track
from protocol.statistics.additive import Additive
from protocol.statistics.bootstrap import Estimate
from protocol.statistics.pairs import Comparison
from protocol.statistics.ranking import Standing
from protocol.statistics.weighting import Lead

SCHEMA_VERSION = 1

PUBLISHED_NOTE = (
    "The paper gives means only. Which neighbouring ranks of published rows can be told apart "
    "cannot be known without the scores of single images, so they have no interval."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStatistics:
    """One row of a board."""

    request_id: str
    model: str
    partner: str
    per_image_sha256: str
    """Of the per-image scores that this was made from; a row with another one is newer."""
    cells: Mapping[str, Estimate]
    """By cell, `full_fr`; only those with a score on every image."""
    not_scored: Mapping[str, int]
    """Images without a score, by cell; only cells that have such images, or no image at all."""
    overall: Estimate | None
    """None for a row without a rank: it lacks a score of the board, or is a control."""
    standing: Standing | None
    own_family: int = 0
    """How many of the images a model of the decoder's own family made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardComparison:
    """Two ranked rows against each other, the higher one first."""

    first: str
    """Request id."""
    second: str
    result: Comparison
    is_separable: bool
    """Whether they differ surely, at once over all pairs of the board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardStatistics:
    """All that the images of one board say about its rows."""

    schema_version: int
    track: Track
    bench: str
    """The label of the table."""
    content: Content | None
    images: int
    images_per_content: Mapping[Content, int]
    resamples: int
    seed: int
    level: float
    rows: tuple[RowStatistics, ...]
    """Best first; rows without an Overall last."""
    comparisons: tuple[BoardComparison, ...]
    """Of all ranked pairs, by rank of the first and then of the second."""
    leads: tuple[Lead, ...]
    """Who leads at which weight of consistency; names are request ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEffects:
    """What encoders and what decoders add to the Overall in the matrix of one table's pairs."""

    schema_version: int
    track: Track
    """Whose modes and weights make the Overall."""
    bench: str
    """The label of the table."""
    made_from: Mapping[str, str]
    """The per-image scores' sha256 by request id."""
    result: Additive
