"""`cmc submit` against a Hub: what is accepted is pinned, what is hostile is refused."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from huggingface_hub import CommitOperationAdd
from loopback_hub import LoopbackHub
from made_models import PAINTER, Canary
from made_requests import PER_IMAGE, request_for, result_of

from evaluator.__main__ import main
from submission.store_folder import FolderStore
from submission.store_hub import HubStore

MODEL = "acme/painter"


@pytest.fixture
def submit(
    hub: LoopbackHub, images: Path, captions: Path, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(t2i: str, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "evaluator", "submit", "--t2i", t2i),
                *("--i2t", f"file:{captions}", "--images", str(images), "--dataset", "three"),
                *more,
            ],
            cwd=tmp_path,
            env={**hub.environment(tmp_path / "hf"), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def upload(hub: LoopbackHub, files: dict[str, Any], model: str = MODEL) -> str:
    api = hub.api()
    api.create_repo(model, exist_ok=True)
    operations = [CommitOperationAdd(name, held) for name, held in files.items()]
    return str(api.create_commit(model, operations, commit_message="upload").oid)


def test_a_model_is_checked_pinned_and_queued_and_its_copy_is_refused(
    hub: LoopbackHub,
    submit: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    commit = upload(hub, PAINTER)
    checked = submit(f"diffusers:{MODEL}", "--check")
    assert checked.returncode == 0, checked.stderr
    assert "is under mit" in checked.stdout
    assert "GPU-minutes" in checked.stdout
    assert not (tmp_path / "cmc-store").exists()

    hub.calls.clear()
    said = ("--paper", "https://arxiv.org/abs/2406.09356", "--variants-tried", "12")
    queued = submit(f"diffusers:{MODEL}", *said)
    assert "is queued" in queued.stdout, queued.stderr
    assert len(hub.calls()) <= 10
    (path,) = (tmp_path / "cmc-store" / "requests").rglob("*.json")
    request = json.loads(path.read_text())
    assert (request["t2i"]["model"], request["t2i"]["revision"]) == (MODEL, commit)
    assert request["fingerprints"]
    assert request["declared"] == {
        "paper": "https://arxiv.org/abs/2406.09356",
        "variants_tried": "12",
    }
    assert "was submitted before" in submit(f"diffusers:{MODEL}").stdout

    upload(hub, PAINTER, "thief/new-name")
    copied = submit("diffusers:thief/new-name", "--json")
    assert copied.returncode == 1
    answer = json.loads(copied.stdout)
    assert not answer["accepted"]
    assert "DUPLICATE_WEIGHTS" in {one["code"] for one in answer["findings"] if one["refuses"]}


def test_every_reason_of_a_hostile_model_is_said_at_once_and_nothing_is_run(
    hub: LoopbackHub,
    submit: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    canary = tmp_path / "canary"
    code = f"import os; os.mkdir({str(canary)!r})".encode()
    upload(
        hub,
        {
            "model_index.json": b'{"_class_name": ["pipeline", "Own"]}',
            "config.json": b'{"auto_map": {"AutoModel": "modeling.M"}}',
            "pipeline.py": code,
            "modeling.py": code,
            "unet/model.bin": pickle.dumps(Canary(canary)),
        },
    )
    done = submit(f"diffusers:{MODEL}", "--json", "--comment", "<img src=x onerror=alert(1)>")
    assert done.returncode == 1, done.stderr
    refused = {one["code"] for one in json.loads(done.stdout)["findings"] if one["refuses"]}
    assert refused == {
        *("REMOTE_CODE_REQUIRED", "NO_SAFETENSORS", "UNSUPPORTED_PIPELINE", "BAD_TEXT"),
    }
    assert not canary.exists()
    assert not (tmp_path / "cmc-store").exists()


def test_submitting_to_a_store_on_the_hub_takes_a_bounded_number_of_calls(
    hub: LoopbackHub,
    submit: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    upload(hub, PAINTER)
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "kept")
    store.create()
    store.submit_all([request_for(quality) for quality in range(500)])
    configs = sum(name.endswith("config.json") for name in PAINTER)
    hub.calls.clear()
    done = submit(f"diffusers:{MODEL}", "--store", "hub:acme/cmc")
    assert "is queued" in done.stdout, done.stderr
    counts = hub.calls.counts()
    assert (counts["info"], counts["whoami"], counts["commit"]) == (1, 1, 1)
    # Newest lines, snapshot and segment of the ledger, and whether the request is there.
    assert counts["resolve"] <= configs + 5
    assert len(hub.calls()) <= configs + 12
    (entry,) = [e for e in store.queue() if e.request.submitter == "tester"]
    assert entry.position == 501


def test_a_store_on_the_hub_holds_no_folder_of_the_submitter_s_machine(
    hub: LoopbackHub,
    submit: Callable[..., subprocess.CompletedProcess[str]],
    captions: Path,
    images: Path,
    tmp_path: Path,
) -> None:
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "kept")
    store.create()
    evaluate = ["evaluate", "--i2t", f"file:{captions}", "--t2i", "start-image", "--modes", "pixel"]
    where = ["--images", str(images), "--dataset", "three", "--protocol", "demo-0"]
    cache = ["--cache", str(tmp_path / "cache")]
    assert main([*evaluate, *where, *cache, "--out", str(tmp_path / "mine")]) == 0
    queued = submit("start-image", "--store", "hub:acme/cmc", "--json")
    told = json.loads(queued.stdout)
    assert (told["accepted"], told["status"]) == (True, "PENDING"), queued.stderr
    common = [*(sys.executable, "-m", "evaluator", "submit"), "--images", str(images)]
    reported = subprocess.run(
        [*common, "--results", str(tmp_path / "mine"), "--store", "hub:acme/cmc"],
        env={**hub.environment(tmp_path / "hf"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "`cmc receive` takes its results in" in reported.stdout, reported.stderr
    for path in hub.api().list_repo_files("acme/cmc-requests", repo_type="dataset"):
        kept = hub.api().hf_hub_download(
            "acme/cmc-requests", path, repo_type="dataset", cache_dir=tmp_path / "read"
        )
        assert str(tmp_path).encode() not in Path(kept).read_bytes()
        assert str(captions.parent).encode() not in Path(kept).read_bytes()


def test_a_folder_is_refused_where_no_worker_reaches_it(
    hub: LoopbackHub, submit: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "kept").create()
    for name, content in PAINTER.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(content)
    assert "is queued" in submit("diffusers:mine").stdout
    refused = submit("diffusers:mine", "--store", "hub:acme/cmc")
    assert refused.returncode == 1
    assert "MODEL_NOT_FOUND  t2i: mine lies in a folder of this machine" in refused.stdout
    assert "send `--results DIR`" in refused.stdout
    assert "refused: 1 reason\n" in refused.stdout


def test_who_submits_again_is_told_what_came_of_it(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    command = ["submit", "--images", str(images), *store, "--codec", "jpeg:10"]
    assert main([*command, "--comment", "mine"]) == 0
    request_id = capsys.readouterr().out.split()[0]
    assert main(command) == 0
    assert capsys.readouterr().out == (
        f"{request_id} was submitted before and is PENDING\n"
        "what was said of the model when it was first submitted stays\n"
    )
    assert main(["queue", "--withdraw", request_id, *store]) == 0
    capsys.readouterr()
    assert main([*command, "--comment", "mine"]) == 0
    assert f"{request_id} is queued again; `cmc work` runs it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--t2i", "diffusers"], "diffusers names no model; wanted diffusers:owner/name"),
        (["--t2i", "diffusers:"], "diffusers names no model; wanted diffusers:owner/name"),
        (["--t2i", "start-image", "--i2t", "file:"], "file names no model; wanted file:CAPTIONS"),
        (["--t2i", "start-image", "--modes", "ful"], "no mode ful; there are text, pixel"),
        (["--i2t", "openai:x"], "name a T2I model with --t2i"),
        (["--codec", "jpeg:10", "--modes", "text"], "a codec sends a picture and cannot do text"),
        (["--codec", "jpeg:\uff11\uff10"], "names no quality; wanted a quality from 1 to 100"),
    ],
)
def test_what_lacks_a_part_is_refused_before_it_is_queued(
    options: list[str],
    message: str,
    images: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["submit", *options, "--images", str(images), "--store", str(tmp_path / "store")]
    assert main(command) == 1
    assert message in capsys.readouterr().err
    assert main([*command, "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert found["code"] == "BAD_FORM"
    assert message in found["sentence"]
    assert not (tmp_path / "store").exists()


def test_a_codec_s_quality_is_one_row_however_it_is_written(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["submit", "--images", str(images), "--store", str(tmp_path / "new" / "store")]
    assert main([*command, "--codec", "jpeg:010"]) == 0
    assert "is queued" in capsys.readouterr().out
    assert main([*command, "--codec", "jpeg:10"]) == 0
    assert "was submitted before" in capsys.readouterr().out


def test_a_superseded_row_that_is_submitted_again_is_said_to_stand_again(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, asked = FolderStore(tmp_path / "store"), []
    command = ["submit", "--images", str(images), "--store", str(store.folder), "--codec"]
    for codec in ("jpeg:10", "jpeg:20"):
        assert main([*command, codec]) == 0
        with store.claim("w") as claim:
            assert claim is not None
            asked.append(claim.request)
            store.finish(claim, result_of(claim.request), PER_IMAGE)
    store.supersede(asked[0].request_id, asked[1].request_id, asked[0].submitter)
    assert main([*command, "jpeg:10"]) == 0
    said = capsys.readouterr().out
    assert f"{asked[0].request_id} was superseded, and its row stands again\n" in said


def test_captions_that_would_be_cut_are_refused(
    images: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions.write_text(captions.read_text().replace('"', ""))
    at = captions.rename(tmp_path / "mine@home.csv")
    command = ["submit", "--i2t", f"file:{at}", "--t2i", "start-image", "--images", str(images)]
    assert main([*command, "--store", str(tmp_path / "store"), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert found["code"] == "BAD_CAPTIONS"
    assert "mine@home.csv, row 2 has 4 fields, wanted 2; a text with" in found["sentence"]
    assert not (tmp_path / "store").exists()
