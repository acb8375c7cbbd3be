"""The process that runs submitted weights: what it knows, how it fails, and when it ends."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, environment
from huggingface_hub import CommitOperationAdd
from loopback_hub import LoopbackHub

from evaluator.bench import Bench
from evaluator.execution import Outcome
from evaluator.isolation import evaluate_apart, needs_isolation, scrubbed_environment
from evaluator.run import evaluate
from protocol.failures import FailureCode
from protocol.records import Request
from protocol.rules import Mode
from protocol.states import Failure

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
    assert isinstance(apart, Outcome)
    here = evaluate(request, make_bench("here"))
    assert apart.result.scores == here.result.scores
    assert "score 3/3" in told


def test_a_part_run_apart_is_of_its_pictures_alone(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    request = ask(modes=(Mode.IMAGE,), i2t=None)
    part = evaluate_apart(request, make_bench("apart"), names=["NSI_pgc_000.png"])
    assert isinstance(part, Outcome)
    assert part.result.images == 1


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
    failure = evaluate_apart(broken, make_bench())
    assert isinstance(failure, Failure)
    assert failure.code is FailureCode.MODEL_REFUSED
    assert "cannot load" in failure.message
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
        children = _wait_for(lambda: _children(parent.pid))
    finally:
        parent.kill()
        parent.wait()
    assert children
    assert _wait_for(lambda: [pid for pid in children if not _runs(pid)]) == children


def _wait_for(found: Callable[[], list[int]]) -> list[int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if these := found():
            return these
        time.sleep(0.05)
    return []


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    # ffmpeg's and git's are over in a moment; the child is a Python that stays.
    return [int(word) for word in text.split() if b"evaluator.child" in _command(int(word))]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _runs(pid: int) -> bool:
    """A process that ended and that nobody has asked for yet has no command line."""
    return bool(_command(pid))


def test_a_gated_model_is_fetched_first_and_read_without_a_token(
    hub: LoopbackHub, images: Path, captions: Path, t2i: str, tmp_path: Path
) -> None:
    folder = Path(t2i.partition(":")[2])
    api = hub.api()
    api.create_repo("acme/gated")
    files = [path for path in folder.rglob("*") if path.is_file()]
    operations = [CommitOperationAdd(p.relative_to(folder).as_posix(), p) for p in files]
    commit = api.create_commit("acme/gated", operations, commit_message="upload").oid
    hub.repo("models", "acme/gated").gated = "manual"
    code = textwrap.dedent(
        f"""
        from pathlib import Path
        from evaluator.bench import Bench
        from evaluator.cache import Cache
        from evaluator.fetching import fetch_restricted
        from evaluator.isolation import evaluate_apart
        from evaluator.requests import make_request
        from protocol.rules import Mode, Role
        request = make_request(role=Role.T2I, i2t="file:{captions}",
            t2i="diffusers:acme/gated@{commit}", codec=None, modes=(Mode.TEXT,),
            protocol="demo-0", images=Path("{images}"), dataset="x", submitter="x")
        bench = Bench(images=Path("{images}"), cache=Cache(Path("{tmp_path / "c"}")), weights=None,
            device="cpu", batch_size=1)
        assert fetch_restricted(request) == ["acme/gated"]
        print("fetched", flush=True)
        outcome = evaluate_apart(request, bench)
        print(outcome.result.images if hasattr(outcome, "result") else outcome)
        """
    )
    told = {**hub.environment(tmp_path / "hf"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=told, capture_output=True, text=True, check=False
    )
    assert done.stdout == "fetched\n3\n", done.stderr
    weights = [call for call in hub.calls("resolve") if call.path.endswith(".safetensors")]
    assert {call.user for call in weights if call.status == 200} == {"tester"}


def _broken(folder: Path) -> Path:
    path = folder / "broken"
    (path / "unet").mkdir(parents=True)
    (path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (path / "unet" / "model.safetensors").write_bytes(b"")
    return path
