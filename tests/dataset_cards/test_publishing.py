from pathlib import Path

import httpx2
import pytest
from loopback_hub import LoopbackHub
from made_folder import (
    REPO,
    add_system,
    files,
    make_folder,
    publication,
    publish,
    system_rows,
    titles,
)

from dataset_cards.cmc_bench.features import CMC_BENCH, DISTORTED
from dataset_cards.parquet import write_rows
from dataset_cards.repositories import refused
from evaluator.dataset.folder import finish
from protocol.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "made")


def test_each_config_is_one_commit_and_the_card_is_the_last(folder: Path, hub: LoopbackHub) -> None:
    plan, head = publish(folder, hub)
    assert [step.name for step in plan.steps] == ["ground_truth", "distorted", "captions", "card"]
    assert titles(hub)[-4:] == [
        *("ground_truth: add 1", "distorted: add 2", "captions: add 1", "card: add 1")
    ]
    assert hub.api().dataset_info(REPO).sha == head
    assert files(hub) == {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    }


def test_a_plan_changes_nothing(folder: Path, hub: LoopbackHub) -> None:
    publication(folder, hub).plan()
    assert not hub.repos
    publish(folder, hub)
    add_system(folder, "three")
    before = files(hub)
    plan = publication(folder, hub).plan()
    assert [change.path for step in plan.steps for change in step.changes] == [
        "distorted/T2I/three/full/NSI-00000.parquet",
        "README.md",
    ]
    assert files(hub) == before


def test_publishing_again_sends_nothing(folder: Path, hub: LoopbackHub) -> None:
    _, head = publish(folder, hub)
    hub.calls.clear()
    plan, again = publish(folder, hub)
    assert plan.steps == ()
    assert again == head
    assert {call.method for call in hub.calls()} == {"GET"}


def test_adding_a_system_uploads_its_own_bytes_and_at_most_5_percent_more(
    folder: Path, hub: LoopbackHub
) -> None:
    publish(folder, hub)
    own_bytes = add_system(folder, "three", side=400)
    hub.calls.clear()
    plan, _ = publish(folder, hub)
    assert plan.upload_bytes == own_bytes + (folder / "README.md").stat().st_size
    # Every request: looking, preupload, LFS and commits, the card too; lines, headers and bodies.
    uploaded = sum(call.head_bytes + call.received_bytes for call in hub.calls())
    assert own_bytes < uploaded <= 1.05 * own_bytes
    assert [call.received_bytes for call in hub.calls("lfs-put")] == [own_bytes]


def test_what_has_gone_from_the_folder_goes_from_the_repository_after_the_card(
    folder: Path, hub: LoopbackHub
) -> None:
    publish(folder, hub)
    hub.api().upload_file(
        path_or_fileobj=b"weights",
        path_in_repo="topiq-fr.pth",
        repo_id=REPO,
        repo_type="dataset",
    )
    (folder / "captions/gpt4v/NSI-00000.parquet").unlink()
    (folder / "distorted/T2I/one/full/NSI-00000.parquet").unlink()
    finish(folder, CMC_BENCH)
    plan, _ = publish(folder, hub)
    assert [step.name for step in plan.steps] == ["distorted", "card", "captions"]
    assert "topiq-fr.pth" in files(hub), "what is not ours stays"
    assert "captions/gpt4v/NSI-00000.parquet" not in files(hub)


@pytest.mark.parametrize("status", [409, 429, 500, 503])
@pytest.mark.parametrize("after", [False, True])
def test_a_hub_that_stumbles_gets_each_commit_once(
    folder: Path, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, status: int, after: bool
) -> None:
    monkeypatch.setattr("dataset_cards.publishing.FIRST_PAUSE_SECONDS", 0.001)
    hub.faults.order("commit", status, after=after)
    publish(folder, hub)
    assert titles(hub)[-4:] == [
        *("ground_truth: add 1", "distorted: add 2", "captions: add 1", "card: add 1")
    ]


def test_a_change_by_others_meanwhile_is_not_overwritten(folder: Path, hub: LoopbackHub) -> None:
    publish(folder, hub)
    add_system(folder, "one")
    path = "distorted/T2I/two/full/NSI-00000.parquet"
    write_rows(folder / path, DISTORTED, system_rows("other"), "x")
    made = publication(folder, hub)
    plan = made.plan()
    hub.api().upload_file(
        path_or_fileobj=b"by others", path_in_repo=path, repo_id=REPO, repo_type="dataset"
    )
    with pytest.raises(DatasetError, match="changed by others"):
        made.publish(plan, lambda _: None)
    assert hub.api().hf_hub_download(REPO, path, repo_type="dataset")


def test_what_was_published_before_a_crash_is_not_sent_again(
    folder: Path, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataset_cards.publishing.ATTEMPTS", 1)
    made = publication(folder, hub)
    plan = made.plan()

    def stop(line: str) -> None:
        if line.startswith("distorted"):
            hub.faults.order("commit", 400)

    with pytest.raises(DatasetError, match="publish again to go on"):
        made.publish(plan, stop)
    hub.calls.clear()
    rest, _ = publish(folder, hub)
    assert [step.name for step in rest.steps] == ["captions", "card"]
    assert not hub.calls("lfs-put"), "the file itself had arrived"


def test_who_may_not_write_is_told_so(folder: Path, hub: LoopbackHub) -> None:
    publish(folder, hub)
    add_system(folder, "three")
    token = hub.add_account("reader", "reader", rights={"*": "read"})
    made = publication(folder, hub, token)
    with pytest.raises(DatasetError, match="HTTP 403"):
        made.publish(made.plan(), lambda _: None)


def test_an_error_of_the_line_that_has_no_words_is_told_by_its_kind() -> None:
    told = str(refused(REPO, httpx2.PoolTimeout("")))
    assert told.startswith("the Hub did not take it (PoolTimeout): no answer. What of ")
