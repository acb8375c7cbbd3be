"""`cmc encode` refuses what it is told and would not use."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import paint

from evaluator.text_prior import build_prior


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--mode", "text", "--caption", "a", "--text-prior", "p"), "is for --text-coder ppmd"),
        (("--mode", "image", "--text-coder", "ppmd", "--text-prior", "p"), "sends no caption"),
        (("--mode", "image", "--caption", ""), "sends no caption"),
        (("--mode", "text", "--caption", "a", "--quality", "30"), "text mode sends no picture of"),
        (("--mode", "pixel", "--caption", "a", "--qp", "30"), "pixel mode sends no picture of"),
    ],
)
def test_an_option_that_would_decide_nothing_is_refused(
    options: tuple[str, ...],
    message: str,
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    paint(16, 16).save(tmp_path / "a.png")
    (tmp_path / "p").write_bytes(build_prior(["a cat"]).data)
    assert message in cmc("encode", "a.png", "-o", "a.cmc", *options, status=1).stderr
    assert not (tmp_path / "a.cmc").exists()
