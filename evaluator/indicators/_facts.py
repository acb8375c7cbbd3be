"""What an indicator's file declares about itself as data."""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.errors import PictureError


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFile:
    """A published file of weights."""

    name: str
    """What it must be called in the folder of weights."""
    url: str
    sha256: str
    """64 hex digits, or as many of the first as its publisher puts into the name; empty: none."""
    licence: str
    """As its publisher states it; "not stated" where he does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an indicator beside its dimension."""

    paper: str
    lowest: float | None
    """Lowest of our scores, which are higher-is-better; None where there is no bound."""
    highest: float | None
    lower_is_better: bool = False
    """Whether the library's own value is lower-is-better and was turned."""
    is_ranking: bool = False
    """Whether a protocol ranks by it; every other one is a secondary column."""
    code_licence: str = "pyiqa: PolyForm Noncommercial 1.0.0 and S-Lab 1.0"
    smallest_side: int = 1
    """Shortest side, in pixels, of a picture that it can score."""
    program: str = ""
    """A program that must be installed."""
    files: Sequence[WeightsFile] = ()
    """The first is the one that WEIGHTS names; the others are looked for beside it."""

    @property
    def range(self) -> str:
        """The scores' range for people."""
        low = "-inf" if self.lowest is None else f"{self.lowest:g}"
        high = "inf" if self.highest is None else f"{self.highest:g}"
        return f"{low}..{high}"


def require_side(size: tuple[int, int], smallest_side: int, name: str) -> None:
    """Refuse a picture that an indicator cannot score.

    Raises:
        PictureError: a side is too short.
    """
    if min(size) < smallest_side:
        width, height = size
        raise PictureError(
            f"a picture of {width}x{height}; {name} needs {smallest_side} pixels a side"
        )


IQA_WEIGHTS = "https://huggingface.co/chaofengc/IQA-PyTorch-Weights/resolve/main"
"""Where pyiqa keeps its weights."""
TORCHVISION = "https://download.pytorch.org/models"
CLIP = "https://openaipublic.azureedge.net/clip/models"

VGG16 = WeightsFile(
    name="vgg16-397923af.pth",
    url=f"{TORCHVISION}/vgg16-397923af.pth",
    sha256="397923af",
    licence="BSD-3-Clause (torchvision); trained on ImageNet",
)
ALEXNET = WeightsFile(
    name="alexnet-owt-7be5be79.pth",
    url=f"{TORCHVISION}/alexnet-owt-7be5be79.pth",
    sha256="7be5be79",
    licence="BSD-3-Clause (torchvision); trained on ImageNet",
)
BENCHMARK_FR, BENCHMARK_NR = (
    WeightsFile(
        name=name,
        url=f"https://huggingface.co/datasets/lcysyzxdxc/CMC-Bench/resolve/main/{name}",
        sha256="",
        licence="CC BY 4.0",
    )
    for name in ("topiq-fr.pth", "topiq-nr.pth")
)
