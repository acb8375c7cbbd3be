"""Where a run takes its pictures from, keeps its work, and computes."""

import functools
from dataclasses import dataclass
from pathlib import Path

from evaluator.cache import Cache
from evaluator.progress import Reporter, silent
from evaluator.text_prior import TextPrior


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The parts of a run that change no result: folders, machine, and who is told."""

    images: Path
    """Folder of ground-truth PNG files."""
    cache: Cache
    weights: Path | None
    """Folder of the indicators' weights; None fetches the released ones when they are needed."""
    device: str
    """`cpu` or `cuda`."""
    batch_size: int
    report: Reporter = silent
    overlap: bool = True
    """Encode, decode and score at the same time; else one after the other, for a small machine."""
    lanes: int = 1
    """How many copies of the T2I model decode at the same time; useful on a CPU with many cores."""
    features: str = ""
    """Keep references' features in the cache as `float16` or `float32`; empty keeps none."""
    price_per_hour: float | None = None
    """Of the machine, for the run's cost."""
    actors: str = ""
    """Run on Ray, with these actors (`evaluator.ray_engine`); empty runs in this process."""
    text_prior: TextPrior | None = None
    """The prior that the protocol names, where it names one."""
    cache_bytes: int | None = None
    """What a worker leaves in the cache after each request; None keeps everything."""


@functools.cache
def code_version() -> str:
    """Return the package's version, and the git commit where it runs from a checkout."""
    import subprocess
    from importlib.metadata import PackageNotFoundError, version

    try:
        release = version("cmc-bench")
    except PackageNotFoundError:
        release = "unknown"
    root = Path(__file__).parent.parent
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    if not (root / ".git").exists():
        return release
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{release}+{done.stdout.strip()}" if done.returncode == 0 else release
