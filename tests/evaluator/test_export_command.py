"""`cmc export` asked for what is not there."""

import subprocess
from collections.abc import Callable

import pytest


@pytest.mark.parametrize("form", ["csv", "bibtex", "compressai", "every-eval-ever"])
def test_an_export_without_a_request_or_a_store_says_what_is_missing(
    cmc: Callable[..., subprocess.CompletedProcess[str]], form: str
) -> None:
    said = cmc("export", "--format", form, status=1).stderr
    assert f"which row? {form} is about one request" in said
    said = cmc("export", "0" * 20, "--format", form, "--store", "none", status=1).stderr
    assert "none is no store: it is no folder" in said
