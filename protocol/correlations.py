"""How indicators agree with people, as records: table 2 with our numbers."""

from dataclasses import dataclass

from protocol.rules import Dimension


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A statistic with its percentile bootstrap interval over pictures."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Of an indicator with mean opinion scores."""

    pictures: int
    srocc: Interval
    """Spearman's rank correlation."""
    krocc: Interval
    """Kendall's tau-b."""
    plcc: Interval
    """Pearson's correlation of the fitted scores; the fit is made once, over all pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """One indicator's line."""

    indicator: str
    dimension: Dimension
    measured: Correlation
    weights_sha256: str
    published_srocc: float | None
    """P table 2, on the paper's pictures and weights; None where it has no such line."""
    published_krocc: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlations:
    """The lines of one set of opinions."""

    opinions: str
    """What the opinions are called."""
    rows: tuple[AgreementRow, ...]
