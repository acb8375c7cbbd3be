"""What a submitter says of a model beside what is run; nothing of it decides a score."""

from collections.abc import Mapping

DECLARED = ("paper", "code", "trained_on", "variants_tried", "comment")
"""The names of what can be said."""

MOST_VARIANTS = 10_000


def read_count(text: str) -> int | None:
    """Return a count from 1 to `MOST_VARIANTS` as it was typed; None where it is none."""
    is_count = text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_VARIANTS))
    return int(text) if is_count and 1 <= int(text) <= MOST_VARIANTS else None


def variants_tried(declared: Mapping[str, str]) -> int | None:
    """Return how many variants of the model were scored on the pictures, or chosen among.

    None where it was not said: the best of many is expected to score better than it is, so a
    reader wants to know.
    """
    return read_count(declared.get("variants_tried", ""))
