"""Does a T2I model paint from words alone what it has seen, or made, before?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocol.records import Result
from protocol.rules import Content
from protocol.statistics.bootstrap import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The pictures of one content that the decoder's own family made, or that others made."""

    content: Content
    is_own_family: bool
    pictures: int
    """How many were painted."""
    nearest: int
    """Of these, nearer to their own original than to any other."""
    likeness: float
    """Mean correlation of painted picture and original, as small grey copies; -1 to 1."""
    copies: tuple[str, ...]
    """Originals that came back: the painted picture is a near-duplicate, and nearest to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memorisation:
    """A row's pictures of text mode beside all originals."""

    request_id: str
    per_image_sha256: str
    """Of the result whose pictures were looked at."""
    family: str
    """The decoder's; empty where it is not known."""
    originals: int
    origins: tuple[Origin, ...]
    lead: Estimate | None
    """Likeness of the AIGI that the decoder's family made, less that of others' AIGI; None where
    there are fewer than two of either."""

    @property
    def copies(self) -> tuple[str, ...]:
        """All originals that came back."""
        return tuple(name for origin in self.origins for name in origin.copies)

    @property
    def own_copies(self) -> tuple[str, ...]:
        """Those among them that the decoder's own family made."""
        return tuple(n for origin in self.origins if origin.is_own_family for n in origin.copies)

    @property
    def pictures(self) -> int:
        """How many were painted."""
        return sum(origin.pictures for origin in self.origins)

    @property
    def own_pictures(self) -> int:
        """How many of them the decoder's own family made."""
        return sum(origin.pictures for origin in self.origins if origin.is_own_family)

    @property
    def own_come_nearer(self) -> bool:
        """Whether its family's pictures come back nearer than others' AIGI, beyond chance."""
        return self.lead is not None and self.lead.low > 0


def current_memorisation(
    found: Iterable[Memorisation], results: Sequence[Result]
) -> tuple[Memorisation, ...]:
    """Return what was found out about these results' own pictures."""
    known = {result.request.request_id: result.per_image_sha256 for result in results}
    return tuple(one for one in found if known.get(one.request_id) == one.per_image_sha256)
