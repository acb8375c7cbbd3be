"""A figure with the numbers in it, and the kinds of figures there are."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Numbers: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One figure in the list."""

    key: str
    """As it stands in links: the same after every refresh."""
    kind: str
    title: str
    of: str
    """What it is drawn of, where there are several."""
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure with the numbers in it."""

    entry: Entry
    draw: "Callable[[], Figure] | None"
    """None where there is nothing to draw; the entry says what would be here."""
    numbers: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Figures of one kind stand together in the list."""

    title: str
    lacks: str
    """What is said where there is no such figure."""


KINDS: Mapping[str, Kind] = {
    "plane": Kind(title="Consistency and perception", lacks="No row is ranked yet."),
    "rate": Kind(
        title="Scores against the size of the file",
        lacks="The paper's figures 5 and 7 have rates without numbers; every run here has them.",
    ),
    "bd-rate": Kind(
        title="Bits for the same score (BD-rate)",
        lacks="A BD-rate needs four qualities or more of two codecs on the same pictures; "
        "`cmc submit --codec vvc:53 …` queues one.",
    ),
    "radar": Kind(title="All scores at once", lacks="No row is ranked yet."),
    "size": Kind(
        title="What a score costs in bits",
        lacks="The paper's figures 5 and 7 have rates without numbers; every run here has them.",
    ),
    "pareto": Kind(title="What a score costs in seconds", lacks="No run took time yet."),
    "money": Kind(
        title="What a score costs in money",
        lacks="No run was told what its machine costs; `cmc work --price-per-hour` does.",
    ),
    "effects": Kind(
        title="What encoder and decoder add",
        lacks="Effects need pairs of two encoders with the same two decoders on the same images; "
        "`cmc statistics board` fits them where there are any. The paper ran one row and one "
        "column of the matrix.",
    ),
    "strength": Kind(
        title="Strength of the repainting",
        lacks="The paper's figures A5 to A7 are curves without numbers. "
        "`cmc ablate strength-full … --store STORE` makes them here.",
    ),
    "prompt": Kind(title="Length and form of the caption", lacks=""),
    "quality": Kind(title="Quality of the sent picture", lacks=""),
    "repeats": Kind(
        title="Decoding again",
        lacks="`cmc ablate repeats … --store STORE` decodes with other seeds and shows what "
        "changes.",
    ),
    "sweep": Kind(title="Other ablations", lacks=""),
    "opinions": Kind(
        title="Mean opinion scores",
        lacks="The paper's figures 6 and A3 were printed without numbers. "
        "`cmc mos RATINGS -o MOS --store STORE` shows a study's scores here.",
    ),
    "viewers": Kind(
        title="Ratings of each viewer",
        lacks="The paper has no such figure. "
        "`cmc mos RATINGS -o MOS --store STORE` shows a study's viewers here.",
    ),
    "correlation": Kind(title="Indicators and people", lacks=""),
    "complexity": Kind(title="Seconds of encoders and decoders", lacks=""),
}
"""In the order of the list. Kinds with published numbers lack nothing."""


def entry(kind: str, name: str, of: str, about: str) -> Entry:
    """Return a figure's entry; `name` tells it from others of its kind for ever."""
    return Entry(key=f"{kind}-{name}", kind=kind, title=KINDS[kind].title, of=of, about=about)


def digest(*parts: str) -> str:
    """Return what a key may hold of names that may hold anything."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
