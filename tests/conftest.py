"""Material that many tests share: real pictures, tiny real models, a bench to run on."""

import os

# Before torch is imported, here and in every process that a test starts: two threads that wait for
# each other on a busy machine are ten times slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The Hub's client reads these once, when it is imported. With Xet there would be a second server.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from loopback_hub import LoopbackHub
from PIL import Image

from evaluator.__main__ import main
from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.commands import _options
from evaluator.demo.models import build_i2t, build_t2i
from evaluator.requests import make_request
from protocol.records import Request
from protocol.rules import Role

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The real pictures and captions beside the checkout; in CI they are there."""
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{SHARED} is missing, and CI has it")
        pytest.skip("no real pictures beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def photograph(shared: Path) -> Image.Image:
    """A real photograph of 768 x 512."""
    with Image.open(shared / "images" / "NSI_pgc_002.png") as picture:
        return picture.convert("RGB")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny models, random weights."""
    folder = tmp_path_factory.mktemp("models")
    build_t2i(folder)
    build_i2t(folder)
    return folder


@pytest.fixture(scope="session")
def t2i(models: Path) -> str:
    return f"diffusers:{models / 'tiny-sd-random-weights'}"


@pytest.fixture(scope="session")
def i2t(models: Path) -> str:
    return f"transformers:{models / 'tiny-llava-random-weights'}"


@contextmanager
def all_cores() -> Iterator[None]:
    """Let one large network have every core inside the block."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    try:
        yield
    finally:
        torch.set_num_threads(1)


def paint(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return a smooth coloured picture with an edge in it, of any size."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    picture = small.resize((width, height), Image.Resampling.BICUBIC)
    picture.paste((20, 30, 200), (0, 0, max(1, width // 3), max(1, height // 4)))
    return picture


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three small pictures, one of each content, two of one size, one odd."""
    folder = tmp_path / "images"
    folder.mkdir()
    for seed, (name, size) in enumerate(
        {
            "NSI_pgc_000.png": (192, 176),
            "SCI_screen_001.png": (192, 176),
            "AIGI_SDXL_002.png": (201, 179),
        }.items()
    ):
        paint(*size, seed=seed).save(folder / name)
    return folder


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    """Captions of the three pictures."""
    path = tmp_path / "captions.csv"
    path.write_text(
        "name,text\n"
        "NSI_pgc_000.png,A blue square in front of soft colours.\n"
        'SCI_screen_001.png,"A window, blue, over a gradient."\n'
        "AIGI_SDXL_002.png,Dreamy clouds of colour and a blue corner.\n"
    )
    return path


@pytest.fixture
def make_bench(tmp_path: Path, images: Path) -> Callable[..., Bench]:
    """Return a function that makes benches; each cache name is a cache of its own."""

    def make(cache: str = "cache", batch_size: int = 1, fresh: bool = False) -> Bench:
        folder = tmp_path / cache
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        return Bench(
            images=images, cache=Cache(folder), weights=None, device="cpu", batch_size=batch_size
        )

    return make


@pytest.fixture
def cmc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what `cmc` returns, run in this process: torch is loaded once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_options, "DEFAULT_CACHE", tmp_path / "cache")
    # For the processes that a worker starts.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run(*arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        texts = [str(argument) for argument in arguments]
        try:
            returned = main(texts)
        except SystemExit as wrong_usage:
            returned = int(wrong_usage.code or 0)
        said = capsys.readouterr()
        assert returned == status, said.err
        return subprocess.CompletedProcess(texts, returned, said.out, said.err)

    return run


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LoopbackHub]:
    """A Hub on 127.0.0.1; `hub.environment(folder)` makes it a process's Hub."""
    with LoopbackHub(tmp_path / "hub-lfs") as hub:
        yield hub


@pytest.fixture(scope="module")
def browser() -> Iterator["BrowserContext"]:
    """A headless Chromium."""
    from browsing import open_browser

    with open_browser() as context:
        yield context


@pytest.fixture
def page(browser: "BrowserContext", address: str) -> Iterator["Page"]:
    """The page at the `address` of the tests' module; no script fails and nothing leaves it."""
    from browsing import open_page

    yield from open_page(browser, address)


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "CMC_CACHE": str(folder / "cache")}


@pytest.fixture
def ask(images: Path, captions: Path) -> Callable[..., Request]:
    """Return a function that makes requests about the three pictures."""

    def make(**changes: Any) -> Request:
        options: dict[str, Any] = {
            "role": Role.T2I,
            "i2t": f"file:{captions}",
            "t2i": "start-image",
            "codec": None,
            "modes": (),
            "protocol": "demo-0",
            "images": images,
            "dataset": "three",
            "submitter": "tests",
        }
        return make_request(**{**options, **changes})

    return make
