"""Evidence beside a store's results: `evidence/<key>/<kind>.json`, one folder a piece.

The key follows from what a piece is about, so the same one made again takes its own place.
"""

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from protocol.ablations import AblationResult
from protocol.controls import Controls
from protocol.correlations import Correlations
from protocol.errors import RecordError
from protocol.evidence import Evidence
from protocol.files import write_whole
from protocol.jsonable import from_json, to_json
from protocol.memorisation import Memorisation
from protocol.secondary import SecondaryScores
from protocol.statistics.records import BoardStatistics, PairEffects
from protocol.studies import Study
from submission.beside import Beside

Piece: TypeAlias = (
    PairEffects | AblationResult | Controls | Study | Correlations | SecondaryScores | Memorisation
)

_KINDS: Mapping[str, type[Any]] = {
    "effects": PairEffects,
    "ablations": AblationResult,
    "controls": Controls,
    "studies": Study,
    "correlations": Correlations,
    "secondary": SecondaryScores,
    "memorisation": Memorisation,
}
"""By the name of the file, which is the name of the field of `Evidence`."""

_ABOUT: Mapping[type[Any], Callable[[Any], tuple[str, ...]]] = {
    PairEffects: lambda one: (str(one.track), one.bench),
    AblationResult: lambda one: (
        *(one.plan.name, one.system, one.partner),
        *(one.protocol, one.dataset, *one.plan.modes),
    ),
    Controls: lambda one: ("controls", one.request_id),
    Study: lambda one: ("study", one.name),
    Correlations: lambda one: ("correlation", one.opinions),
    SecondaryScores: lambda one: ("secondary", *one.about),
    Memorisation: lambda one: ("memorisation", one.request_id),
}


def put_evidence(beside: Beside, piece: Piece) -> str:
    """Bring a piece to its place and return the place."""
    about = _ABOUT[type(piece)](piece)
    digest = hashlib.sha256("\0".join(about).encode()).hexdigest()[:12]
    place = f"evidence/{re.sub(r'[^a-z0-9-]+', '-', about[0].lower())[:40]}-{digest}"
    kind = next(name for name, form in _KINDS.items() if form is type(piece))
    with tempfile.TemporaryDirectory() as folder:
        write_whole(Path(folder) / f"{kind}.json", to_json(piece).encode())
        beside.put(Path(folder), place)
    return place


def read_statistics(beside: Beside) -> list[BoardStatistics]:
    """Return the stored statistics; those in another version's form are as good as absent."""
    found = []
    for path in beside.lists():
        content = beside.read(path) if path.startswith("statistics/") else None
        if content is not None:
            with contextlib.suppress(RecordError):
                found.append(from_json(BoardStatistics, content))
    return found


def read_evidence(beside: Beside) -> Evidence:
    """Return all pieces; those in another version's form are as good as absent."""
    found: dict[str, list[Any]] = {name: [] for name in _KINDS}
    for path in beside.lists():
        kind = Path(path).stem
        content = beside.read(path) if path.startswith("evidence/") and kind in _KINDS else None
        if content is not None:
            with contextlib.suppress(RecordError):
                found[kind].append(from_json(_KINDS[kind], content))
    return Evidence(**{name: tuple(items) for name, items in found.items()})
