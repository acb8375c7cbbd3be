"""The process that runs submitted weights: what it knows, how it fails, and when it ends."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from conftest import environment

from evaluator.bench import Bench
from evaluator.isolation import evaluate_apart, needs_isolation, scrubbed_environment
from evaluator.run import evaluate
from protocol.errors import IsolationError
from protocol.records import Request
from protocol.rules import Mode

SECRETS = {
    "HF_TOKEN": "hf_canary",
    "HUGGING_FACE_HUB_TOKEN": "hf_canary",
    "HUGGINGFACE_TOKEN": "hf_canary",
    "OPENAI_API_KEY": "sk-canary",
    "ANTHROPIC_API_KEY": "canary",
    "AWS_SECRET_ACCESS_KEY": "canary",
    "GITHUB_TOKEN": "canary",
    "WANDB_API_KEY": "canary",
    "OAUTH_CLIENT_SECRET": "canary",
    "CMC_SECRET_NOBODY_THOUGHT_OF": "canary",
}


def test_no_secret_is_left_in_the_environment(
    ask: Callable[..., Request], t2i: str, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("hf_canary_of_a_file")
    given = {**os.environ, **SECRETS, "HF_HOME": str(tmp_path)}
    scrubbed = scrubbed_environment(given, ask(t2i=t2i))
    assert "canary" not in str(scrubbed)
    assert scrubbed["PATH"] == os.environ["PATH"]
    told = subprocess.run(
        [sys.executable, "-c", "import huggingface_hub as h; print(h.get_token())"],
        env=scrubbed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "None\n"


def test_a_key_is_there_for_a_request_that_asks_an_endpoint(ask: Callable[..., Request]) -> None:
    request = ask(i2t="openai:gpt-4o?base_url=http://127.0.0.1:9/v1")
    scrubbed = scrubbed_environment(SECRETS, request)
    assert scrubbed["OPENAI_API_KEY"] == "sk-canary"
    assert "HF_TOKEN" not in scrubbed


def test_only_submitted_weights_need_a_process_of_their_own(
    ask: Callable[..., Request], t2i: str, i2t: str
) -> None:
    assert needs_isolation(ask(t2i=t2i))
    assert needs_isolation(ask(i2t=i2t))
    assert not needs_isolation(ask())
    assert not needs_isolation(ask(i2t="openai:gpt-4o?base_url=http://127.0.0.1:9/v1"))


def test_a_run_apart_gives_what_a_run_here_gives(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    request = ask(modes=(Mode.IMAGE,), i2t=None)
    told: list[str] = []
    apart = evaluate_apart(request, make_bench("apart"), told.append)
    here = evaluate(request, make_bench("here"))
    assert apart.result.scores == here.result.scores
    assert any(line.startswith("smoke test of 3 pictures") for line in told)
    assert "score 3/3" in told


def test_the_childs_process_has_no_token_and_its_error_comes_back(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An interpreter looks here for code to run at its start; it stands for submitted code.
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy" / "sitecustomize.py").write_text(
        textwrap.dedent(
            f"""
            import os
            with open({str(tmp_path / "seen")!r}, "w") as file:
                file.write(repr(dict(os.environ)))
            """
        )
    )
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'spy'}:{Path(__file__).parents[2]}")
    broken = ask(modes=(Mode.TEXT,), t2i=f"diffusers:{_broken(tmp_path)}")
    with pytest.raises(IsolationError, match="cannot load") as caught:
        evaluate_apart(broken, make_bench())
    assert caught.value.code == "ModelError"
    seen = (tmp_path / "seen").read_text()
    assert "PATH" in seen
    assert "canary" not in seen


def test_the_child_ends_when_its_parent_is_killed(
    images: Path, tmp_path: Path, t2i: str, captions: Path
) -> None:
    code = textwrap.dedent(
        f"""
        from pathlib import Path
        from evaluator.bench import Bench
        from evaluator.cache import Cache
        from evaluator.isolation import evaluate_apart
        from evaluator.requests import make_request
        from protocol.rules import Role
        request = make_request(role=Role.T2I, i2t="file:{captions}", t2i="{t2i}", codec=None,
            modes=(), protocol="demo-0", images=Path("{images}"), dataset="x", submitter="x")
        bench = Bench(images=Path("{images}"), cache=Cache(Path("{tmp_path / "c"}")), weights=None,
            device="cpu", batch_size=1)
        evaluate_apart(request, bench)
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment(tmp_path))
    try:
        children = _wait_for(lambda: psutil.Process(parent.pid).children())
    finally:
        parent.kill()
        parent.wait()
    assert children
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    assert gone


def _wait_for(found: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if children := found():
            return children
        time.sleep(0.05)
    return []


def _broken(folder: Path) -> Path:
    path = folder / "broken"
    (path / "unet").mkdir(parents=True)
    (path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (path / "unet" / "model.safetensors").write_bytes(b"")
    return path
