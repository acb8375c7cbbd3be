"""What systems are called where two of them would have one name."""

from collections.abc import Iterable, Mapping

from protocol.records import System


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
