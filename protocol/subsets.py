"""Choosing some of the ground-truth images: the same ones everywhere, and of every content."""

import hashlib
from collections.abc import Iterable

from protocol.rules import Content
from protocol.samples import Sample


def choose_subset(samples: Iterable[Sample], size: int, key: str) -> tuple[str, ...]:
    """Return the names of up to `size` images, in order.

    Each content gets its share by largest remainder, and at least one where there is room. Which
    ones is decided by a hash of `key` and the name, so nobody chooses them.

    Args:
        samples: all images.
        size: how many to choose, at least 1.
        key: for example a request's id.
    """
    groups: dict[Content, list[str]] = {}
    for sample in samples:
        groups.setdefault(sample.content, []).append(sample.name)
    chosen: list[str] = []
    for content, count in _shares({c: len(names) for c, names in groups.items()}, size).items():
        ranked = sorted(groups[content], key=lambda name: _rank(key, name))
        chosen += ranked[:count]
    return tuple(sorted(chosen))


def _shares(counts: dict[Content, int], size: int) -> dict[Content, int]:
    total = sum(counts.values())
    size = min(size, total)
    exact = {content: size * count / total for content, count in counts.items()}
    shares = {content: int(share) for content, share in exact.items()}
    if size >= len(counts):
        shares = {content: max(1, share) for content, share in shares.items()}
    by_remainder = sorted(counts, key=lambda c: (shares[c] - exact[c], c))
    while sum(shares.values()) < size:
        for content in by_remainder:
            if shares[content] < counts[content] and sum(shares.values()) < size:
                shares[content] += 1
    while sum(shares.values()) > size:
        # Those that were given their only one keep it.
        several = (content for content, share in shares.items() if share > 1)
        shares[max(several, key=lambda c: (shares[c] - exact[c], c))] -= 1
    return shares


def _rank(key: str, name: str) -> bytes:
    return hashlib.sha256(f"{key}\0{name}".encode()).digest()
