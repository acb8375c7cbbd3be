"""What a repository says of itself while it is published to: its card at each commit, its tags."""

from dataclasses import replace
from pathlib import Path

import pytest
from loopback_hub import LoopbackHub
from made_folder import REPO, add_system, files, make_folder, publication, publish
from pyarrow import parquet

from dataset_cards.cards import parse_card
from dataset_cards.publishing import Plan, Publication
from dataset_cards.requests.features import REQUESTS
from evaluator.__main__ import main
from evaluator.dataset.folder import finish
from protocol.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "made")


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def sizes_on(hub: LoopbackHub, folder: Path) -> dict[str, int]:
    """Return the rows of each config as the Hub's card counts them; the files have as many."""
    hub.api().snapshot_download(REPO, repo_type="dataset", local_dir=folder)
    metadata, _ = parse_card((folder / "README.md").read_text(), "README.md")
    listed = [entry["config_name"] for entry in metadata["configs"]]
    assert next(entry.get("default") for entry in metadata["configs"]) is True
    found = {
        info["config_name"]: sum(split["num_examples"] for split in info["splits"])
        for info in metadata["dataset_info"]
    }
    assert list(found) == listed
    assert found == {name: rows_of(folder, name) for name in listed}
    return found


def rows_of(folder: Path, config: str) -> int:
    files = (folder / config).rglob("*.parquet")
    return sum(parquet.read_metadata(path).num_rows for path in files)


def test_a_publication_that_stops_anywhere_leaves_what_can_be_loaded(
    folder: Path, hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataset_cards.publishing.ATTEMPTS", 1)
    stops = (("ground_truth", ["ground_truth"]), ("distorted", ["ground_truth", "distorted"]))
    for stop, configs in (*stops, ("card", ["ground_truth", "distorted", "captions"])):
        made = publication(folder, hub)
        plan = replace(plan := made.plan(), steps=plan.steps[: names(plan).index(stop) + 1])
        made.publish(plan, lambda _: None)
        card = sizes_on(hub, tmp_path / stop)
        assert card == {name: rows_of(folder, name) for name in configs}
    (folder / "captions/gpt4v/SCI-00000.parquet").write_bytes(
        (folder / "captions/gpt4v/NSI-00000.parquet").read_bytes()
    )
    add_system(folder, "three")
    made = publication(folder, hub)
    made.publish(replace(plan := made.plan(), steps=plan.steps[:1]), lambda _: None)
    assert names(plan)[:2] == ["distorted", "captions"]
    assert sizes_on(hub, tmp_path / "again") == {
        "ground_truth": 1,
        "distorted": 12,
        "captions": 1,
    }


def test_a_card_that_others_changed_meanwhile_is_not_overwritten(
    folder: Path, hub: LoopbackHub
) -> None:
    publish(folder, hub)
    add_system(folder, "three")
    made = publication(folder, hub)
    plan = made.plan()
    hub.api().upload_file(
        path_or_fileobj=b"by others", path_in_repo="README.md", repo_id=REPO, repo_type="dataset"
    )
    head = hub.api().dataset_info(REPO).sha
    with pytest.raises(DatasetError, match="changed by others"):
        made.publish(plan, lambda _: None)
    assert hub.api().dataset_info(REPO).sha == head


def test_a_tag_names_one_commit_for_ever(folder: Path, hub: LoopbackHub) -> None:
    _, head = publish(folder, hub)
    made = publication(folder, hub)
    made.tag("v1.0", head)
    made.tag("v1.0", head)
    add_system(folder, "three")
    _, newer = publish(folder, hub)
    with pytest.raises(DatasetError, match="releases do not move"):
        made.tag("v1.0", newer)
    made.tag("v1.1", newer)
    refs = hub.api().list_repo_refs(REPO, repo_type="dataset")
    assert {ref.name: ref.target_commit for ref in refs.tags} == {"v1.0": head, "v1.1": newer}


def test_a_tag_that_is_taken_is_refused_before_anything_is_sent(
    folder: Path, hub: LoopbackHub
) -> None:
    publication(folder, hub).check_tag("v1.0", publication(folder, hub).plan())
    _, head = publish(folder, hub)
    made = publication(folder, hub)
    made.tag("v1.0", head)
    made.check_tag("v1.0", made.plan())
    add_system(folder, "three")
    with pytest.raises(DatasetError, match="releases do not move"):
        made.check_tag("v1.0", made.plan())
    made.check_tag("v1.1", made.plan())


@pytest.mark.parametrize("tag", ["", "v 1", "v1..2", "v1/", ".v1", "v1.lock", "v:1", "é"])
def test_what_git_takes_for_no_tag_is_refused(folder: Path, hub: LoopbackHub, tag: str) -> None:
    made = publication(folder, hub)
    with pytest.raises(DatasetError, match="cannot name a release"):
        made.check_tag(tag, made.plan())


@pytest.mark.parametrize("repo", ["", "CMC-Bench", "a/b/c", "a/ b", "a/é", "hub:a/b", "a/-b", "/b"])
def test_what_names_no_repository_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], repo: str
) -> None:
    assert main(["dataset", "publish", str(tmp_path), repo]) == 1
    assert f"{repo!r} names no repository of the Hub; wanted OWNER/NAME" in capsys.readouterr().err


def test_another_dataset_s_card_is_not_written_over(
    folder: Path, hub: LoopbackHub, tmp_path: Path
) -> None:
    publish(folder, hub)
    before = files(hub)
    other = tmp_path / "requests"
    other.mkdir()
    finish(other, REQUESTS)
    made = Publication(other, REQUESTS, REPO, b"{}", hub.api())
    with pytest.raises(DatasetError, match=r"holds CMC-Bench, .* CMC-Bench-requests"):
        made.plan()
    assert files(hub) == before
