"""Runs that no row can come of, and the reason that their pictures give."""

from collections import Counter
from collections.abc import Iterable, Sequence

from evaluator.decode import Decoded
from evaluator.run import Evaluation
from protocol.errors import FruitlessError


def nothing_scored(evaluation: Evaluation) -> FruitlessError | None:
    """Return why no picture of any mode has a score; None where one has."""
    if any(score.mean is not None for score in evaluation.result.scores):
        return None
    code, reason = commonest(evaluation.not_scored, evaluation.decoded)
    return FruitlessError(
        code, f"none of {len(evaluation.decoded)} decoded files has a score; {reason}"
    )


def commonest(codes: Iterable[str], group: Sequence[Decoded]) -> tuple[str, str]:
    """Return the code that most have, and what is said of the first picture that has it."""
    ((code, _),) = Counter(codes).most_common(1)
    said = (item.entry for item in group if item.entry.failure_code == code)
    entry = next(said, None)
    # What an indicator could not score was decoded, and says nothing more than its code.
    return code, f"the first: {entry.failure_message}" if entry else f"most are {code}"
