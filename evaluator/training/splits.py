"""Which pictures an indicator is trained on and which are held out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from evaluator.training.labels import Labelled
from protocol.errors import InputError

TRAIN_SHARE = 0.8
"""P A.3."""


class SplitBy(StrEnum):
    """What is held out together; the paper does not say which it used."""

    REFERENCE = "reference"
    """All pictures of a ground truth: what is held out shows scenes that were not trained on."""
    IMAGE = "image"
    """Single pictures: the same scene may be in both parts, which flatters a no-reference one."""


@dataclass(frozen=True, slots=True)
class Split:
    """Two parts without a picture in common."""

    train: Sequence[Labelled]
    test: Sequence[Labelled]


def split_labels(labelled: Sequence[Labelled], by: SplitBy, seed: int) -> Split:
    """Return 80 % and 20 %; the same names, kind and seed give the same parts.

    Raises:
        InputError: a part would hold fewer than two pictures, or pictures of one opinion.
    """
    groups: dict[str, list[Labelled]] = {}
    for item in sorted(labelled, key=lambda item: item.name):
        key = item.reference.name if by is SplitBy.REFERENCE else item.name
        groups.setdefault(key, []).append(item)
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    count = round(len(names) * TRAIN_SHARE)
    train = [item for name in names[:count] for item in groups[name]]
    test = [item for name in names[count:] for item in groups[name]]
    if min(len(train), len(test)) < 2:
        raise InputError(
            f"{len(labelled)} pictures of {len(names)} kinds, split by {by}, leave {len(train)} to "
            f"train on and {len(test)} to test on; wanted two at least of each"
        )
    for part, items in (("train on", train), ("test on", test)):
        if len({item.mos for item in items}) < 2:
            raise InputError(
                f"the {len(items)} pictures to {part} all have the opinion {items[0].mos:g}; there "
                "is no order to learn or to test"
            )
    return Split(train, test)
