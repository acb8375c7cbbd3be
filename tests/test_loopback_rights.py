"""Who may do what on the loopback Hub, and what goes wrong there when it is told to."""

from pathlib import Path

import httpx2
import pytest
from hub_client import REPO, add, commit, make_repo, read, refused
from hub_faults import Rates
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
)
from loopback_hub import LoopbackHub


@pytest.fixture
def api(hub: LoopbackHub) -> HfApi:
    return make_repo(hub)


def test_tokens_have_rights_by_repository(hub: LoopbackHub, api: HfApi, tmp_path: Path) -> None:
    commit(api, add("a", "1"))
    reader = hub.api(hub.add_account("r", "eve", {"*": "read"}))
    assert reader.whoami()["name"] == "eve"
    assert read(reader, tmp_path, "a") == b"1"
    with refused(403):
        commit(reader, add("a", "2"))
    writer = hub.api(hub.add_account("w", "bob", {"*": "read", "acme/*": "write"}))
    commit(writer, add("a", "2"))
    api.create_repo("acme/secret", repo_type="dataset", private=True)
    stranger = hub.api(hub.add_account("n", "mallory", {}))
    with pytest.raises(RepositoryNotFoundError):
        stranger.repo_info("acme/secret", repo_type="dataset")
    with refused(401):
        commit(HfApi(endpoint=hub.endpoint, token=False), add("a", "3"))
    with refused(403):
        stranger.create_repo("mallory/x")


def test_gated_files_are_for_those_who_were_granted_them(
    hub: LoopbackHub, api: HfApi, tmp_path: Path
) -> None:
    commit(api, add("a", "1"))
    api.update_repo_settings(REPO, gated="auto", repo_type="dataset")
    other = hub.api(hub.add_account("g", "gil", {"*": "read"}))
    assert other.repo_info(REPO, repo_type="dataset").gated == "auto"
    with pytest.raises(GatedRepoError):
        read(other, tmp_path, "a")
    with pytest.raises(GatedRepoError):
        other.auth_check(REPO, repo_type="dataset")
    hub.repo("datasets", REPO).granted.add("gil")
    assert read(other, tmp_path, "a") == b"1"


def test_a_pull_request_needs_no_right_to_write_and_can_be_merged(
    hub: LoopbackHub, api: HfApi, tmp_path: Path
) -> None:
    guest = hub.api(hub.add_account("p", "pat", {"*": "pr"}))
    done = guest.create_commit(
        REPO, [add("row.yaml", "v: 1")], commit_message="A row", repo_type="dataset", create_pr=True
    )
    assert (done.pr_num, done.pr_revision) == (1, "refs/pr/1")
    with pytest.raises(EntryNotFoundError):
        read(api, tmp_path, "row.yaml")
    commit(guest, add("row.yaml", "v: 2"), revision="refs/pr/1")
    (pull,) = api.get_repo_discussions(REPO, repo_type="dataset")
    assert (pull.title, pull.author, pull.is_pull_request) == ("A row", "pat", True)
    guest.comment_discussion(REPO, 1, repo_type="dataset", comment="please")
    api.merge_pull_request(REPO, 1, repo_type="dataset")
    assert read(api, tmp_path, "row.yaml") == b"v: 2"
    assert api.get_discussion_details(REPO, 1, repo_type="dataset").status == "merged"


def test_faults_come_at_the_rate_asked_for_and_from_a_seed(hub: LoopbackHub, api: HfApi) -> None:
    seen = []
    for _ in range(2):
        hub.faults.set_rates(Rates(server_error=0.2, conflict=0.2, timeout=0.1), seed=3)
        drawn = [hub.faults.draw("commit") for _ in range(2000)]
        seen.append([fault.name if fault else "" for fault in drawn])
    assert seen[0] == seen[1]
    assert 900 < sum(bool(name) for name in seen[0]) < 1100
    hub.faults.set_rates(Rates(conflict=1.0))
    with pytest.raises(HfHubHTTPError, check=lambda e: e.response.status_code in (409, 412)):
        commit(api, add("a"))
    assert hub.calls("commit")[-1].fault in ("409", "412")


def test_a_commit_whose_answer_is_lost_was_made(
    hub: LoopbackHub, api: HfApi, tmp_path: Path
) -> None:
    hub.hang_seconds = 0.05
    hub.faults.order("commit", 500, after=True)
    with refused(500):
        commit(api, add("a", "1"))
    assert read(api, tmp_path, "a") == b"1"
    hub.faults.order("commit", 0, after=True)
    with pytest.raises(httpx2.TransportError):
        commit(api, add("a", "2"))
    assert read(api, tmp_path, "a") == b"2"
    hub.faults.order("commit", 0)
    with pytest.raises(httpx2.TransportError):
        commit(api, add("a", "3"))
    assert read(api, tmp_path, "a") == b"2"
