"""What a smoke test showed: three pictures of a request, made before all others."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.counts import counted
from protocol.rules import Mode

SMOKE_MARK = "\x1esmoke "
"""Begins the line in which a run's process tells its parent a report, as JSON."""
LOG_MARK = "\x1elog "
"""Begins the line in which it tells a text for the log, as JSON."""
FAULT_MARK = "\x1efault "
"""Begins the line in which it tells what is wrong with its machine, as JSON: a full disk takes no
file that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeMode:
    """One mode of a smoke test."""

    mode: Mode
    images: int
    failures: Mapping[str, int]
    """How many pictures were not made, by code."""
    encode_seconds: float
    """Median of a picture."""
    decode_seconds: float
    bits_per_pixel: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeReport:
    """What three pictures showed."""

    names: tuple[str, ...]
    modes: tuple[SmokeMode, ...]
    seconds: float
    """On the clock, with loading."""
    images: int
    """Of the whole run."""

    @property
    def seconds_by_mode(self) -> Mapping[Mode, float]:
        """Seconds that a picture takes."""
        return {one.mode: one.encode_seconds + one.decode_seconds for one in self.modes}

    @property
    def whole_run_minutes(self) -> float:
        """What all pictures of the run would take by these seconds, scoring not counted."""
        return self.images * sum(self.seconds_by_mode.values()) / 60

    @property
    def sentence(self) -> str:
        """The report in a line."""
        parts = [
            f"{one.mode} {one.encode_seconds + one.decode_seconds:.2f} s"
            + "".join(f", {count} {code}" for code, count in one.failures.items())
            for one in self.modes
        ]
        return (
            f"smoke test of {counted(len(self.names), 'picture')} in {self.seconds:.0f} s: "
            + "; ".join(parts)
        )
