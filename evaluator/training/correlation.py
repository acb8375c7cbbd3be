"""How well scores agree with people: rank correlations, and PLCC after the usual logistic fit."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from protocol.correlations import Correlation, Interval
from protocol.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 1000
LEVEL = 0.95
FIT_STEPS = 5000
"""Of the logistic fit at most; opinions that bend one way take some hundreds."""


def correlate(
    scores: "Sequence[float] | NDArray[np.float64]",
    mos: "Sequence[float] | NDArray[np.float64]",
    *,
    resamples: int = RESAMPLES,
) -> Correlation:
    """Return how scores go with mean opinion scores.

    SRoCC and tau-b (Kendall, "Rank correlation methods", 1948, chapter 3) are scipy's; intervals
    are percentiles over resampled pictures (Efron & Tibshirani, "An introduction to the bootstrap",
    1993, section 13.3).

    Args:
        scores: higher is better.
        mos: of the same pictures, higher is better.
        resamples: of the pictures, for the intervals.

    Raises:
        InputError: there are fewer than five pictures, or one side does not vary.
    """
    import numpy as np
    from scipy import stats

    x, y = np.asarray(scores, dtype=float), np.asarray(mos, dtype=float)
    if len(x) != len(y) or len(x) < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise InputError(
            f"{len(x)} scores and {len(y)} opinions; a correlation needs five pictures or more, "
            "and both must vary"
        )
    fitted = logistic_fit(x, y)
    rng = np.random.default_rng(0)
    draws = [_varied(rng, x, y) for _ in range(resamples)]

    def interval(statistic: Callable[[Any, Any], float], first: Any) -> Interval:
        values = [statistic(first[draw], y[draw]) for draw in draws]
        low, high = np.quantile(values, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        return Interval(value=statistic(first, y), low=float(low), high=float(high))

    return Correlation(
        pictures=len(x),
        srocc=interval(lambda a, b: float(stats.spearmanr(a, b).statistic), x),
        krocc=interval(lambda a, b: float(stats.kendalltau(a, b).statistic), x),
        plcc=interval(_pearson, fitted),
    )


def _pearson(fitted: Any, mos: Any) -> float:
    """Return Pearson's correlation; 0 where the fitted curve is flat."""
    import numpy as np

    return float(np.corrcoef(fitted, mos)[0, 1]) if np.ptp(fitted) > 1e-12 else 0.0


def logistic_fit(
    scores: "NDArray[np.float64]", mos: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    """Return the scores on the opinions' scale: a logistic curve of four parameters.

    f(x) = b2 + (b1 - b2) / (1 + exp(-(x - b3) / |b4|)), least squares (VQEG, "Final report on the
    validation of objective models of video quality assessment, phase II", 2003, section 3.2.3).
    Opinions that only bend one way have no best curve: its far end goes off without a limit while
    the curve hardly changes, and where the search stops is taken. A flat curve is replaced by the
    regression line.
    """
    import numpy as np
    from scipy import optimize, special

    def curve(x: Any, high: float, low: float, middle: float, width: float) -> Any:
        return low + (high - low) * special.expit((x - middle) / (abs(width) + 1e-12))

    unit = (scores - scores.mean()) / scores.std()
    rises = np.corrcoef(unit, mos)[0, 1] >= 0
    ends = (mos.max(), mos.min()) if rises else (mos.min(), mos.max())
    found = optimize.least_squares(
        lambda parts: curve(unit, *parts) - mos, [*ends, 0.0, 1.0], max_nfev=FIT_STEPS
    )
    fitted = curve(unit, *found.x)
    if np.isfinite(fitted).all() and np.ptp(fitted) > 0:
        return np.asarray(fitted, dtype=float)
    slope, intercept = np.polyfit(scores, mos, 1)
    return np.asarray(slope * scores + intercept, dtype=float)


def _varied(rng: "np.random.Generator", x: "NDArray[np.float64]", y: "NDArray[np.float64]") -> Any:
    """Return places drawn with replacement in which both sides vary."""
    import numpy as np

    while True:
        draw = rng.integers(0, len(x), len(x))
        if np.ptp(x[draw]) > 0 and np.ptp(y[draw]) > 0:
            return draw
