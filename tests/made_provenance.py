"""The provenance of a result that nothing ran for."""

from dataclasses import replace
from typing import Any

from protocol.records import Provenance

_NOTHING = Provenance(
    libraries={},
    platform="",
    device="cpu",
    ffmpeg="",
    codec="",
    code_version="",
    indicators=(),
    seed=0,
    batch_size=1,
    start_sigma={},
    started_at="",
    finished_at="",
)


def make_provenance(**changes: Any) -> Provenance:
    return replace(_NOTHING, **changes)
