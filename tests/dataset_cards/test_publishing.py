import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import paint
from loopback_hub import LoopbackHub
from make_release import png
from PIL import Image

from dataset_cards.cmc_bench.build import caption_row, picture_row, sample_row
from dataset_cards.cmc_bench.features import CAPTIONS, CMC_BENCH, DISTORTED, GROUND_TRUTH
from dataset_cards.layout import Shard
from dataset_cards.parquet import Row, write_rows
from dataset_cards.publishing import Plan, Publication
from dataset_cards.requests.features import REQUESTS
from evaluator.__main__ import main
from evaluator.dataset.folder import finish
from protocol.errors import DatasetError
from protocol.samples import parse_name

REPO = "acme/CMC-Bench"
SAMPLE = parse_name("NSI_pgc_000.png")


def noise(name: str, side: int) -> bytes:
    """Return a picture that no compression makes smaller."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return png(Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)))


def system_rows(system: str, side: int = 32, count: int = 4) -> list[Row]:
    same = ("role", "i2t", "t2i", "codec", "mode", "status", "protocol", "request_id")
    return [
        {
            **sample_row(parse_name(f"NSI_pgc_{i:03d}.png")),
            **picture_row(f"{i}.png", noise(f"{system} {i}", side), side, side),
            **dict.fromkeys(same, system),
            **dict.fromkeys(("text_bits", "pixels_bits", "image_bits", "header_bits", "bits"), 8),
            "caption": None,
            "bits_per_pixel": 0.1,
            "file": b"x",
            "seed": 1,
        }
        for i in range(count)
    ]


def add_system(folder: Path, name: str, side: int = 32) -> int:
    """Write a system's pictures and return the size of its file."""
    shard = Shard(DISTORTED, ("T2I", name, "full"), "NSI", 0)
    write_rows(folder / shard.path, DISTORTED, system_rows(name, side), name)
    finish(folder, CMC_BENCH)
    return (folder / shard.path).stat().st_size


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset folder with pictures, a caption and the pictures of two systems."""
    made = tmp_path / "made"
    picture = picture_row(SAMPLE.name, png(paint(64, 64)), 64, 64)
    truth = Shard(GROUND_TRUTH, (), "NSI", 0)
    write_rows(made / truth.path, GROUND_TRUTH, [{**sample_row(SAMPLE), **picture}], "x")
    caption = caption_row(SAMPLE, "gpt4v", "A cat.", "released")
    write_rows(made / Shard(CAPTIONS, ("gpt4v",), "NSI", 0).path, CAPTIONS, [caption], "x")
    add_system(made, "one")
    add_system(made, "two")
    return made


def publication(folder: Path, hub: LoopbackHub, token: str | None = None) -> Publication:
    return Publication(folder, CMC_BENCH, REPO, b"{}", hub.api(token))


def publish(folder: Path, hub: LoopbackHub) -> tuple[Plan, str]:
    made = publication(folder, hub)
    plan = made.plan()
    return plan, made.publish(plan, lambda _: None)


def files(hub: LoopbackHub) -> set[str]:
    return set(hub.api().list_repo_files(REPO, repo_type="dataset")) - {".gitattributes"}


def titles(hub: LoopbackHub) -> list[str]:
    commits = hub.api().list_repo_commits(REPO, repo_type="dataset")
    return [commit.title for commit in commits][::-1]


def test_each_config_is_one_commit_and_the_card_is_the_last(folder: Path, hub: LoopbackHub) -> None:
    plan, head = publish(folder, hub)
    assert [step.name for step in plan.steps] == ["ground_truth", "distorted", "captions", "card"]
    assert titles(hub)[-4:] == [
        *("ground_truth: add 1", "distorted: add 2", "captions: add 1", "card: add 2")
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
    publish(folder, hub)
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
        *("ground_truth: add 1", "distorted: add 2", "captions: add 1", "card: add 2")
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


def test_who_may_not_write_is_told_so(folder: Path, hub: LoopbackHub) -> None:
    publish(folder, hub)
    add_system(folder, "three")
    token = hub.add_account("reader", "reader", rights={"*": "read"})
    made = publication(folder, hub, token)
    with pytest.raises(DatasetError, match="HTTP 403"):
        made.publish(made.plan(), lambda _: None)
