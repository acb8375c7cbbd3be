"""Controls: systems that are run to see what a score is worth, and that are never ranked."""

from dataclasses import dataclass

from protocol.flags import Disagreement
from protocol.records import Request, System
from protocol.rules import Mode
from protocol.statistics.pairs import Comparison

ADAPTER = "control"
"""T2I adapter that paints nothing: it copies, blurs, sharpens or flattens what was sent."""

PREFIX = "control-"
"""How the name of a control's caption file starts."""


def is_control(request: Request) -> bool:
    """Say whether a request runs a control; its label then says so too."""
    return any(_is_control(system) for system in (request.i2t, request.t2i))


def _is_control(system: System | None) -> bool:
    return system is not None and (system.adapter == ADAPTER or system.model.startswith(PREFIX))


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlScore:
    """One control beside the system, in one mode by one indicator."""

    control: str
    shows: str
    mode: Mode
    indicator: str
    is_ranking: bool
    system: float
    """Mean over the pictures that both have."""
    comparison: Comparison
    """System less control; with captions mixed up, what the text carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlFlag:
    """The ranking indicator and another disagree beyond chance about a control."""

    control: str
    mode: Mode
    disagreement: Disagreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """A system with its controls."""

    request_id: str
    """Of the system."""
    system: str
    partner: str
    protocol: str
    images: int
    scores: tuple[ControlScore, ...]
    flags: tuple[ControlFlag, ...]
    own_family: tuple[str, ...]
    """AIGI that the decoder's own family made."""
