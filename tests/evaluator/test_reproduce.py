"""A row's part run again: it agrees with itself, and a forged row does not."""

import io
import json
import subprocess
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT

from evaluator.bench import Bench
from evaluator.reproduce import relocate, reproduce
from evaluator.run import evaluate
from protocol.boards import result_rows
from protocol.errors import InputError, ModelError, StoreError
from protocol.records import Request, Result
from protocol.replications import replication_counts
from protocol.rules import Mode, Role, Track
from protocol.samples import list_samples
from protocol.states import Action
from submission.replications import file_replication, read_replications
from submission.store import FolderStore


@pytest.fixture
def finished(ask: Callable[..., Request], make_bench: Callable[..., Bench]) -> tuple[Result, bytes]:
    request = ask(
        role=Role.CODEC, i2t=None, t2i=None, codec="jpeg:30", modes=(Mode.IMAGE,), submitter="ada"
    )
    evaluation = evaluate(request, make_bench("first"))
    return evaluation.result, evaluation.per_image


def again(finished: tuple[Result, bytes], bench: Bench, **changes: Any) -> Any:
    names = [sample.name for sample in list_samples(bench.images)]
    options: dict[str, Any] = {"names": names, "replicated_by": "bob", **changes}
    return reproduce(*finished, bench, **options)


def store_with(finished: tuple[Result, bytes], folder: Path) -> FolderStore:
    store = FolderStore(folder)
    store.submit(finished[0].request)
    with store.claim("worker") as claim:
        assert claim
        store.finish(claim, *finished)
    return store


def test_a_row_run_again_agrees_and_is_counted_once_an_account(
    finished: tuple[Result, bytes], make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    replication = again(finished, make_bench("second"))
    assert replication.agrees
    assert (replication.equal_pictures, replication.pictures) == (3, 3)
    store = store_with(finished, tmp_path / "store")
    for account in ("bob", "bob", "eve"):
        file_replication(store, replace(replication, replicated_by=account))
    filed = read_replications(FolderStore(tmp_path / "store"))
    assert sorted(one.replicated_by for one in filed) == ["bob", "eve"]
    request_id = replication.request_id
    assert [event.action for event in store.events(request_id)][-2:] == [Action.REPLICATE] * 2
    assert store.results() == [finished[0]]
    assert set(store.ledger.digests()) == {
        path for line in store.ledger.lines() for path in json.loads(line)["files"]
    }
    other = replace(replication, per_image_sha256="0" * 64)
    with pytest.raises(StoreError, match="about another result"):
        file_replication(store, other)
    store.withdraw(request_id, finished[0].request.submitter)
    assert read_replications(store) == []
    with pytest.raises(StoreError, match="REPLICATE does not apply"):
        file_replication(store, replace(replication, replicated_by="zoe"))
    counts = replication_counts(filed)
    (row,) = result_rows([finished[0]], Track.CODEC, None, counts)
    assert row.replications == 2


def test_a_part_of_a_row_is_run_on_its_pictures_alone(
    finished: tuple[Result, bytes], make_bench: Callable[..., Bench]
) -> None:
    names = ("NSI_pgc_000.png", "SCI_screen_001.png")
    replication = again(finished, make_bench("second"), names=names)
    assert (replication.names, replication.pictures) == (names, 2)
    assert all(one.images == 2 for one in replication.agreements)


def test_a_forged_row_does_not_agree(
    finished: tuple[Result, bytes], make_bench: Callable[..., Bench]
) -> None:
    result, per_image = finished
    rows = pq.read_table(io.BytesIO(per_image)).to_pylist()
    better = [{**row, "score": row["score"] + 0.2} for row in rows]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(better), file)
    with pytest.raises(InputError, match="not those that the row was made from"):
        again((result, file.getvalue()), make_bench("second"))
    import hashlib

    forged = replace(result, per_image_sha256=hashlib.sha256(file.getvalue()).hexdigest())
    replication = again((forged, file.getvalue()), make_bench("second"))
    assert not replication.agrees
    assert replication_counts([replication]) == {}


def test_a_model_in_another_folder_must_be_the_same(
    ask: Callable[..., Request], t2i: str, tmp_path: Path
) -> None:
    import shutil

    request = ask(t2i=t2i, modes=(Mode.IMAGE,))
    name = t2i.rpartition("/")[2]
    copy = shutil.copytree(t2i.partition(":")[2], tmp_path / "elsewhere" / name)
    moved = relocate(request, {"t2i": f"diffusers:{copy}"})
    assert moved.request_id == request.request_id
    assert moved.t2i
    assert moved.t2i.path == str(copy)
    (copy / "more.txt").write_text("x")
    with pytest.raises(ModelError, match="the row was run with"):
        relocate(request, {"t2i": f"diffusers:{copy}"})
    assert relocate(request, {}) == request
    with pytest.raises(ModelError, match="say where it lies here, as diffusers:PATH, with --i2t"):
        relocate(request.unplaced, {})


def test_the_command_runs_compares_and_files(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path, tmp_path: Path
) -> None:
    system = ("--codec", "jpeg:30", "--images", images, "--protocol", "demo-0")
    cmc("submit", *system)
    cmc("work", "--once", "--images", images)
    (entry,) = json.loads(cmc("queue", "--json").stdout)
    request_id = entry["state"]["request_id"]
    done = cmc("reproduce", request_id, "--subset", 3, "--images", images, "--file")
    assert "3 of 3 decoded pictures are equal" in done.stdout
    assert len(read_replications(FolderStore(tmp_path / "cmc-store"))) == 1
    board = cmc("leaderboard", "--track", "codec", "--source", "results", "--json").stdout
    assert json.loads(board)[0]["replications"] == 1
    assert (
        "holds no result of nothing"
        in cmc("reproduce", "nothing", "--images", images, status=1).stderr
    )


def test_a_row_of_submitted_weights_is_run_again_without_any_token(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    images: Path,
    t2i: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system = ("--t2i", t2i, "--modes", "image", "--protocol", "demo-0")
    cmc("submit", *system, "--images", images)
    (entry,) = FolderStore(tmp_path / "cmc-store").queue()
    cmc("work", "--once", "--images", images, "--in-process")
    # An interpreter looks here for code to run at its start; it stands for submitted code.
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy" / "sitecustomize.py").write_text(
        textwrap.dedent(
            f"""
            import os
            with open({str(tmp_path / "seen")!r}, "a") as file:
                file.write(os.environ.get("HF_TOKEN", "no token") + ";")
            """
        )
    )
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'spy'}:{ROOT}")
    again = ("reproduce", entry.request.request_id, "--subset", 1, "--images", images)
    assert "1 of 1 decoded pictures are equal" in cmc(*again).stdout
    assert set((tmp_path / "seen").read_text().split(";")[:-1]) == {"no token"}
    said = cmc(*again, "--engine", "ray", status=1).stderr
    assert "give --in-process too" in said
