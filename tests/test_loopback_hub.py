"""The loopback Hub, asked by the real clients."""

import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hub_client import REPO, add, commit, make_repo, read, refused
from huggingface_hub import CommitOperationDelete, HfApi, RepoFile
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from loopback_hub import LoopbackHub

BIG = bytes(range(256)) * 40_000


@pytest.fixture
def api(hub: LoopbackHub) -> HfApi:
    return make_repo(hub)


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_repositories_are_made_once_and_gone_when_deleted(hub: LoopbackHub, kind: str) -> None:
    api = hub.api()
    sdk: dict[str, Any] = {"space_sdk": "gradio"} if kind == "space" else {}
    assert str(api.create_repo(REPO, repo_type=kind, **sdk)).startswith(hub.endpoint)
    with refused(409):
        api.create_repo(REPO, repo_type=kind, **sdk)
    api.create_repo(REPO, repo_type=kind, exist_ok=True, **sdk)
    assert api.repo_info(REPO, repo_type=kind).id == REPO
    api.delete_repo(REPO, repo_type=kind)
    with pytest.raises(RepositoryNotFoundError):
        api.repo_info(REPO, repo_type=kind)


def test_a_file_comes_back_as_it_was_sent_small_or_large(api: HfApi, tmp_path: Path) -> None:
    commit(api, add("small.txt", "small"), add("dir/big.bin", BIG))
    assert read(api, tmp_path, "small.txt") == b"small"
    assert read(api, tmp_path, "dir/big.bin") == BIG
    (info,) = api.get_paths_info(REPO, ["dir/big.bin", "none"], repo_type="dataset")
    assert isinstance(info, RepoFile)
    assert info.size == len(BIG)
    assert info.lfs is not None
    assert info.lfs.sha256 == hashlib.sha256(BIG).hexdigest()


def test_every_commit_stays_readable(api: HfApi, tmp_path: Path) -> None:
    first = commit(api, add("a", "1"), add("b/c", "2"))
    second = commit(api, add("a", "3"), CommitOperationDelete("b/c"))
    assert (read(api, tmp_path, "a", first), read(api, tmp_path, "a", second)) == (b"1", b"3")
    assert api.list_repo_files(REPO, repo_type="dataset", revision=first) == [
        *(".gitattributes", "a", "b/c"),
    ]
    assert api.list_repo_files(REPO, repo_type="dataset") == [".gitattributes", "a"]
    history = [c.commit_id for c in api.list_repo_commits(REPO, repo_type="dataset")]
    assert history[:2] == [second, first]


def test_a_commit_on_a_stale_parent_is_refused_with_412(api: HfApi, tmp_path: Path) -> None:
    first = commit(api, add("a", "1"))
    commit(api, add("b", "1"), parent_commit=first)
    with refused(412):
        commit(api, add("a", "2"), parent_commit=first)
    assert read(api, tmp_path, "a") == b"1"


def test_a_commit_that_changes_nothing_succeeds_without_the_parent_check(
    hub: LoopbackHub, api: HfApi
) -> None:
    first = commit(api, add("a", "1"))
    head = commit(api, add("b", "1"))
    hub.calls.clear()
    assert commit(api, add("a", "1"), parent_commit=first) == head
    assert hub.calls("commit") == []


def test_of_twenty_racing_commits_on_one_parent_one_wins(api: HfApi) -> None:
    head = commit(api, add("a"))
    won: list[int] = []

    def race(number: int) -> None:
        try:
            commit(api, add("claim", str(number)), parent_commit=head)
        except HfHubHTTPError as error:
            assert error.response.status_code == 412  # noqa: PT017 - in a thread
        else:
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_deleting_what_is_not_there_is_refused_and_folders_go_whole(api: HfApi) -> None:
    commit(api, add("d/a"), add("d/e/b"), add("f"))
    with pytest.raises(EntryNotFoundError):
        commit(api, CommitOperationDelete("none"))
    commit(api, CommitOperationDelete("d", is_folder=True))
    assert api.list_repo_files(REPO, repo_type="dataset") == [".gitattributes", "f"]


def test_an_lfs_object_with_other_bytes_than_its_name_is_refused(hub: LoopbackHub) -> None:
    answer = httpx2.put(f"{hub.endpoint}/_lfs/{'0' * 64}", content=b"other")
    assert answer.status_code == 400
    assert not hub.lfs.has("0" * 64)


def test_a_tree_of_5000_files_is_listed_in_pages(hub: LoopbackHub, api: HfApi) -> None:
    commit(api, *(add(f"r/{i % 256:02x}/{i}.json", str(i)) for i in range(5000)))
    hub.calls.clear()
    tree = list(api.list_repo_tree(REPO, "r", recursive=True, repo_type="dataset"))
    assert len(tree) == 5000 + 256
    assert len(hub.calls("tree")) == 6
    assert len(list(api.list_repo_tree(REPO, "r/07", repo_type="dataset", expand=True))) == 20


def test_branches_tags_and_refs(api: HfApi, tmp_path: Path) -> None:
    first = commit(api, add("a", "1"))
    api.create_branch(REPO, branch="next", repo_type="dataset")
    api.create_tag(REPO, tag="v1.0", repo_type="dataset")
    second = commit(api, add("a", "2"), revision="next")
    refs = api.list_repo_refs(REPO, repo_type="dataset")
    assert {b.name: b.target_commit for b in refs.branches} == {"main": first, "next": second}
    assert [t.name for t in refs.tags] == ["v1.0"]
    assert read(api, tmp_path, "a", "next") == b"2"
    assert read(api, tmp_path, "a", "v1.0") == b"1"
    with pytest.raises(RevisionNotFoundError):
        read(api, tmp_path, "a", "no-such")
    with pytest.raises(EntryNotFoundError):
        read(api, tmp_path, "no-such")


def test_ranges_of_small_and_large_files(hub: LoopbackHub, api: HfApi) -> None:
    commit(api, add("s.txt", "0123456789"), add("b.bin", BIG))
    for path, whole in (("s.txt", b"0123456789"), ("b.bin", BIG)):
        url = f"{hub.endpoint}/datasets/{REPO}/resolve/main/{path}"
        for text, wanted in (("2-4", whole[2:5]), ("5-", whole[5:]), ("-3", whole[-3:])):
            answer = httpx2.get(url, headers={"Range": f"bytes={text}"})
            assert (answer.status_code, answer.content) == (206, wanted)
        assert httpx2.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416


def test_jobs_are_recorded_and_secrets_are_not_told_again(hub: LoopbackHub) -> None:
    api = hub.api()
    job = api.run_job(
        image="python:3.12",
        command=["cmc", "work"],
        flavor="a10g-small",
        secrets={"HF_TOKEN": "s3cret"},
        timeout="2h",
        labels={"for": "cmc"},
    )
    assert hub.jobs[job.id]["secrets"] == {"HF_TOKEN": "s3cret"}
    assert hub.jobs[job.id]["timeoutSeconds"] == 7200
    (listed,) = api.list_jobs(namespace="tester")
    assert listed.flavor == "a10g-small"
    assert api.inspect_job(job_id=job.id).secrets == {"HF_TOKEN": ""}
    api.cancel_job(job_id=job.id)
    assert api.inspect_job(job_id=job.id).status.stage == "CANCELED"


def test_a_model_tells_what_is_in_its_files(hub: LoopbackHub) -> None:
    api = hub.api()
    api.create_repo("acme/model")
    header = json.dumps({"w": {"dtype": "F16", "shape": [3, 5], "data_offsets": [0, 30]}}).encode()
    weights = len(header).to_bytes(8, "little") + header + bytes(30)
    card = "---\nlicense: mit\nbase_model: a/b\npipeline_tag: text-to-image\n---\n# Model\n"
    api.create_commit(
        "acme/model",
        [
            add("model.safetensors", weights),
            add("README.md", card),
            add("config.json", '{"model_type": "llava", "architectures": ["L"]}'),
        ],
        commit_message="m",
    )
    info = api.model_info("acme/model", files_metadata=True, securityStatus=True)
    assert info.card_data is not None
    assert (info.card_data.license, info.pipeline_tag) == ("mit", "text-to-image")
    assert info.safetensors is not None
    assert (info.safetensors.total, (info.config or {})["model_type"]) == (15, "llava")
    sizes = {s.rfilename: (s.size, s.lfs is not None) for s in info.siblings or []}
    assert sizes["model.safetensors"] == (len(weights), True)
    assert [m.id for m in api.list_models(author="acme")] == ["acme/model"]


def test_a_card_that_is_no_yaml_is_refused(api: HfApi) -> None:
    with pytest.raises((ValueError, BadRequestError)):
        commit(api, add("README.md", "---\na: [\n---\n"))


def test_a_snapshot_is_complete_and_pinned(api: HfApi, tmp_path: Path) -> None:
    first = commit(api, add("a", "1"), add("d/b.bin", BIG[:1000]))
    commit(api, add("a", "2"))
    folder = Path(
        api.snapshot_download(
            REPO, repo_type="dataset", revision=first, local_dir=tmp_path / "snapshot"
        )
    )
    assert (folder / "a").read_bytes() == b"1"
    assert (folder / "d" / "b.bin").read_bytes() == BIG[:1000]


def test_an_unknown_address_is_refused_and_the_line_stays_usable(hub: LoopbackHub) -> None:
    with httpx2.Client(base_url=hub.endpoint) as client:
        assert client.get("/api/nonsense/x").status_code == 404
        bad = client.post(f"/api/datasets/{REPO}/commit/main", content=b"{")
        assert bad.status_code == 404
        assert client.get("/api/agent-harnesses").status_code == 200


def test_datasets_pushes_and_loads_in_another_process(hub: LoopbackHub, tmp_path: Path) -> None:
    code = (
        "import datasets, sys\n"
        "made = datasets.Dataset.from_dict({'n': list(range(9))})\n"
        "made.push_to_hub('acme/rows', num_shards=2)\n"
        "back = datasets.load_dataset('acme/rows', split='train')\n"
        "first = next(iter(datasets.load_dataset('acme/rows', split='train', streaming=True)))\n"
        "print(sum(back['n']), first)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=hub.environment(tmp_path / "home"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "36 {'n': 0}\n", done.stderr
    assert len(hub.calls("commit")) >= 1


def test_as_a_process_it_serves_and_counts() -> None:
    command = [sys.executable, str(Path(__file__).with_name("loopback_hub.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        api = HfApi(endpoint=told["endpoint"], token=told["token"])
        api.create_repo(REPO, repo_type="dataset")
        assert httpx2.get(f"{told['endpoint']}/_test/calls").json()["counts"]["create-repo"] == 1
        process.terminate()
