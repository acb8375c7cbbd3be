"""Controls: systems that are run to see what a score is worth, and that are never ranked."""

from protocol.records import Request, System

ADAPTER = "control"
"""T2I adapter that paints nothing: it copies, blurs, sharpens or flattens what was sent."""

PREFIX = "control-"
"""How the name of a control's caption file starts."""


def is_control(request: Request) -> bool:
    """Say whether a request runs a control; its label then says so too."""
    return any(_is_control(system) for system in (request.i2t, request.t2i))


def _is_control(system: System | None) -> bool:
    return system is not None and (system.adapter == ADAPTER or system.model.startswith(PREFIX))
