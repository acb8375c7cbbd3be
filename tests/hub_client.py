"""One repository of the loopback Hub, asked by the real client."""

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from loopback_hub import LoopbackHub

REPO = "acme/thing"


def make_repo(hub: LoopbackHub) -> HfApi:
    api = hub.api()
    api.create_repo(REPO, repo_type="dataset")
    hub.calls.clear()
    return api


def add(path: str, content: bytes | str = b"x") -> CommitOperationAdd:
    return CommitOperationAdd(path, content.encode() if isinstance(content, str) else content)


def commit(api: HfApi, *operations: Any, repo: str = REPO, **options: Any) -> str:
    done = api.create_commit(
        repo, list(operations), commit_message="test", repo_type="dataset", **options
    )
    return str(done.oid)


def read(api: HfApi, tmp_path: Path, path: str, revision: str | None = None) -> bytes:
    found = api.hf_hub_download(
        REPO, path, repo_type="dataset", revision=revision, cache_dir=tmp_path / "hf-cache"
    )
    return Path(found).read_bytes()


def refused(status: int) -> Any:
    return pytest.raises(HfHubHTTPError, check=lambda e: e.response.status_code == status)
