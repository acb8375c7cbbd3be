"""What systems are called where two of them would have one name."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from protocol.records import System


class Half(Protocol):
    """A model of a pair, and the other half that it ran with."""

    @property
    def model(self) -> str:
        """Its name."""

    @property
    def partner(self) -> str:
        """The other half's name; empty where it is not known."""


def names_with_partners(halves: Sequence[Half]) -> list[str]:
    """Return each model's name; with its partner, if any, where another one has the same name."""
    times = Counter(half.model for half in halves)
    return [
        f"{half.model} with {half.partner}"
        if half.partner and times[half.model] > 1
        else half.model
        for half in halves
    ]


def distinct_names(systems: Iterable[System]) -> Mapping[str, str]:
    """Return a name for each system, by its `system_key`.

    That is its label; where others have the same, with its revision behind it, and where that does
    not tell them apart with its adapter too.
    """
    sharing: dict[str, dict[str, System]] = {}
    for system in systems:
        sharing.setdefault(system.label, {})[system_key(system)] = system
    return {
        key: name
        for label, group in sharing.items()
        for key, name in zip(group, _names(label, [*group.values()]), strict=True)
    }


def system_key(system: System) -> str:
    """Return what two systems share only if they are the same."""
    return str(system.identity)


def _names(label: str, group: list[System]) -> list[str]:
    if len(group) == 1:
        return [label]
    revisions = [system.revision[:8] for system in group]
    if len({*revisions}) == len(group) and all(revisions):
        return [f"{label} [{revision}]" for revision in revisions]
    parts = (filter(None, (system.adapter, system.revision[:8])) for system in group)
    return [f"{label} [{', '.join(part)}]" for part in parts]
