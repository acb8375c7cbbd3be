"""What is known of a row's system beside its scores: its family, licence, size and version."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from protocol.declared import variants_tried
from protocol.records import CODEC_NAMES, Result
from protocol.rules import Role
from protocol.systems import ENDPOINT_ADAPTERS, NamedSystem, find_system, named_systems


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts about the system that a row compares; what is not known is empty or None."""

    family: str = ""
    """The codec, the pipeline's class, the adapter, or what the paper calls the kind of system."""
    licence: str = ""
    open_weights: bool | None = None
    parameters: int | None = None
    peak_memory_bytes: int | None = None
    revision: str = ""
    """The weights: 40 hex digits, a Hub commit or a hash over a local model's files."""
    device: str = ""
    submitted_at: str = ""
    """UTC, ISO 8601."""
    variants_tried: int | None = None
    """As the submitter says; None where nothing was said."""


_NO_CAPTION_NEEDED = frozenset({"DiffBIR", "InstructPix", "PASD", "StableSR"})
"""The paper's restorative systems (P 4.1): they run image and full mode only."""


def facts_of_published(model: str, role: Role) -> Facts:
    """Return what the registry knows of a system by the name that the paper gives it."""
    known = find_system(model)
    if role is Role.T2I:
        family = "restorative" if model in _NO_CAPTION_NEEDED else "generative"
    else:
        family = "published I2T"
    return Facts(
        family=family,
        licence=known.licence if known else "",
        open_weights=_is_open(known.adapter, known.licence) if known and known.licence else None,
    )


def facts_of_result(result: Result) -> Facts:
    """Return what a result's request and provenance say of the system that it compares."""
    system = result.request.compared
    if system is None:
        return Facts(submitted_at=result.request.submitted_at)
    known = _registered(system.adapter, system.model)
    details = result.provenance.t2i_details if result.request.role is Role.T2I else {}
    licence = known.licence if known else ""
    return Facts(
        family=CODEC_NAMES.get(system.adapter) or details.get("pipeline") or system.adapter,
        licence=licence,
        open_weights=_is_open(system.adapter, licence),
        parameters=_parameters(details),
        peak_memory_bytes=_peak_bytes(result),
        revision=system.revision,
        device=result.provenance.device,
        submitted_at=result.request.submitted_at,
        variants_tried=variants_tried(result.request.declared),
    )


def _peak_bytes(result: Result) -> int | None:
    """Return the GPU's peak memory; where no GPU was used, the process's."""
    if result.run is None:
        return None
    return result.run.peak_gpu_bytes or result.run.peak_memory_bytes or None


@cache
def _registered(adapter: str, model: str) -> NamedSystem | None:
    # A row without a model is of all that its adapter runs, but a server runs anybody's models.
    repos = (model,) if adapter in ENDPOINT_ADAPTERS else (model, "")
    same = (row for row in named_systems() if row.adapter == adapter and row.repo in repos)
    return next(same, None)


def _is_open(adapter: str, licence: str) -> bool | None:
    """Tell whether anyone can fetch the weights; None for a server's model that is not known."""
    if adapter in ENDPOINT_ADAPTERS and not licence:
        return None
    return licence != "API terms"


def _parameters(details: Mapping[str, str]) -> int | None:
    """Return the parameters of all pipelines that a system consists of."""
    counts = [_whole(text) for name, text in details.items() if name.endswith("parameters")]
    return sum(count or 0 for count in counts) or None


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
