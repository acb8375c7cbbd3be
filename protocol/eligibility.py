"""Who has an Overall, and with it a rank, among the rows that were run."""

from protocol.controls import is_control
from protocol.records import Result
from protocol.rules import Dimension, Mode

_WORDS = {Dimension.FR: "consistency", Dimension.NR: "perception"}


def may_be_ranked(result: Result) -> bool:
    """Say whether a result may stand among systems, as far as it is complete.

    A control shows what a score is worth. Of a row that an audit contradicts nobody knows what its
    scores are worth; they stand in their cells, with what the audit found.
    """
    return not is_control(result.request) and not result.is_contradicted


def unscored(result: Result) -> str:
    """Return of which pictures a result has no score, in words; empty where it has all.

    A mean is of all pictures or is not there, and an Overall needs every mean.
    """
    lost: dict[tuple[Mode, int, int], list[Dimension]] = {}
    for score in result.scores:
        if score.content is None and score.not_scored:
            key = (score.mode, score.not_scored, score.images)
            lost.setdefault(key, []).append(score.dimension)
    parts = [
        f"{count} of {images} pictures in {mode} mode"
        + ("" if len(dimensions) == len(Dimension) else f" ({_WORDS[dimensions[0]]})")
        for (mode, count, images), dimensions in lost.items()
    ]
    return f"no score for {', '.join(parts)}: no mean and no Overall there" if parts else ""
