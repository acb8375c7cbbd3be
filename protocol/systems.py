"""The systems by the names people call them, with what is known about each: `systems.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from protocol.jsonable import from_plain
from protocol.rules import Mode, Role

FILE = Path(__file__).with_name("systems.json")

ADAPTERS: Mapping[Role, tuple[str, ...]] = {
    Role.I2T: ("file", "transformers", "sharegpt4v", "openai"),
    Role.T2I: (
        *("start-image", "control", "diffusers", "spandrel", "diffbir", "pasd", "stablesr"),
        *("instruct", "animatediff", "kandinsky22", "openai-image"),
    ),
    Role.CODEC: ("vvc", "hevc", "avc", "av1", "jpeg", "jxl", "webp"),
}
"""What runs systems of a role, as it is typed before the colon."""

ENDPOINT_ADAPTERS = frozenset({"openai", "openai-image"})
"""Their models run on somebody's server: there are no files to pin and no Hub to ask."""

WITHOUT_MODEL = frozenset({"start-image", "control"})
"""They paint by a rule that their settings decide, and load nothing."""


class Readiness(StrEnum):
    """Whether a system can be run by its name."""

    READY = "ready"
    """Its adapter loads it."""
    NEEDS_SERVER = "needs-server"
    """Only through a server that speaks OpenAI's chat format, or a file of its captions."""
    NEEDS_FOLDER = "needs-folder"
    """Its adapter loads a folder that is put together from several downloads, as the notes say."""
    NO_ADAPTER = "no-adapter"
    """Known, but nothing here runs it; the notes say why."""
    UNKNOWN = "unknown"
    """Which checkpoint stood behind the published name is not known."""
    RETIRED = "retired"
    """Its provider has switched it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSystem:
    """One row of the registry."""

    name: str
    role: Role
    adapter: str
    """Empty where nothing runs it."""
    repo: str
    """Hub id or an endpoint's model name; empty where there is none or it is not known."""
    revision: str
    """40 hex digits; empty: the newest commit, which is pinned when a request is made."""
    licence: str
    """Of the weights, as far as it is known."""
    modes: tuple[Mode, ...]
    settings: Mapping[str, str]
    """The adapter's settings that make it the benchmark's system."""
    aliases: tuple[str, ...]
    """Other spellings, the paper's among them."""
    status: Readiness
    notes: str
    """What is known, what is not, and what to do; for people."""


@cache
def named_systems() -> tuple[NamedSystem, ...]:
    """Return all rows, in the file's order."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        from_plain(NamedSystem, row, f"{FILE.name}[{number}]") for number, row in enumerate(rows)
    )


@cache
def _by_name() -> Mapping[str, NamedSystem]:
    return {name.casefold(): row for row in named_systems() for name in (row.name, *row.aliases)}


def find_system(name: str) -> NamedSystem | None:
    """Return the row of a name or alias in any case, or None."""
    return _by_name().get(name.casefold())


def near_names(name: str) -> list[str]:
    """Return up to five names that look like this one, the nearest first."""
    from difflib import get_close_matches

    found = get_close_matches(name.casefold(), list(_by_name()), n=8, cutoff=0.5)
    return list(dict.fromkeys(_by_name()[key].name for key in found))[:5]
