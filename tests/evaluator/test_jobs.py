"""The worker as a job of the Hub: what is sent, and that no secret is in the open."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from loopback_hub import LoopbackHub

from evaluator.jobs import JobPlan, start_job
from protocol.errors import InputError, JobError


def plan(**changes: Any) -> JobPlan:
    options: dict[str, Any] = {
        "flavor": "a100-large",
        "timeout": "6h",
        "worker": ("--store", "hub:acme/cmc", "--images", "/pictures"),
        **changes,
    }
    return JobPlan(**options)


def test_a_worker_is_started_with_its_timeout_and_its_token_as_a_secret(hub: LoopbackHub) -> None:
    started = start_job(
        plan(source="git+https://example.org/cmc.git", datasets={"acme/pictures": "/pictures"}),
        token=hub.token,
        worker_token="worker-token",
        environment={"CMC_STORE": "x", "OPENAI_API_KEY": "secret", "HF_TOKEN": "secret"},
        endpoint=hub.endpoint,
    )
    (job,) = hub.jobs.values()
    assert (started.job_id, started.stage) == (job["id"], "SCHEDULING")
    assert job["flavor"] == "a100-large"
    assert job["timeoutSeconds"] == 6 * 3600
    assert job["secrets"] == {"HF_TOKEN": "worker-token"}
    assert job["environment"]["CMC_STORE"] == "x"
    assert "secret" not in str(job["environment"])
    assert hub.token not in str(job)
    shell = job["command"][-1]
    assert "cmc work --store hub:acme/cmc --images /pictures" in shell
    assert "'cmc-bench[evaluator] @ git+https://example.org/cmc.git'" in shell
    assert [volume["mountPath"] for volume in job["volumes"]] == ["/pictures"]


def test_words_of_the_command_are_words_of_the_shell() -> None:
    command = plan(worker=("--images", "a b; rm -rf /")).command[-1]
    assert command.endswith("cmc work --images 'a b; rm -rf /'")


@pytest.mark.parametrize("timeout", ["", "0h", "6", "-1h", "6 h", "six"])
def test_a_timeout_has_a_number_and_a_unit(timeout: str) -> None:
    with pytest.raises(InputError, match="as in 6h"):
        plan(timeout=timeout)


@pytest.mark.parametrize(
    "told",
    [
        {"worker": ("--token", "hf_abcdefghij")},
        {"source": "git+https://oauth2:ghp_0123456789abcdefghij@example.org/cmc.git"},
        {"source": "git+https://me:word@example.org/cmc.git"},
    ],
)
def test_a_token_in_the_command_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="as a secret"):
        plan(**told)


def test_a_refusal_of_the_hub_is_told_with_its_reason(hub: LoopbackHub) -> None:
    with pytest.raises(JobError, match="may not run jobs as stranger"):
        start_job(plan(namespace="stranger"), token=hub.token, endpoint=hub.endpoint)


def test_the_command_starts_itself_elsewhere(hub: LoopbackHub, tmp_path: Path) -> None:
    def work(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "evaluator", "work", "--on", "hf-jobs"),
                *("--images", "/p/gt", *arguments),
            ],
            cwd=tmp_path,
            env={**hub.environment(tmp_path), "PYTHONPATH": str(ROOT), "CMC_WORKER": "w-token"},
            capture_output=True,
            text=True,
            check=False,
        )

    done = work(
        *("--store", "hub:acme/cmc", "--flavor", "l4x1", "--once", "--mount", "acme/gt:/p"),
        *("--worker-token-from", "CMC_WORKER"),
    )
    assert "is SCHEDULING" in done.stdout, done.stderr
    (job,) = hub.jobs.values()
    assert job["command"][-1].endswith("cmc work --store hub:acme/cmc --images /p/gt --once")
    assert job["flavor"] == "l4x1"
    assert job["secrets"] == {"HF_TOKEN": "w-token"}
    hub.jobs.clear()
    more = ("--cache", "/c", "--cache-size", "2M", "--lanes", "2", "--no-overlap", "--in-process")
    ray = ("--engine", "ray", "--actors", "encode=1x0,decode=2x1,score=1x0", "--poll", "60")
    assert work("--store", "hub:acme/cmc", "--source", "x", *more, *ray).returncode == 0
    (job,) = hub.jobs.values()
    assert "'cmc-bench[evaluator,ray] @ x'" in job["command"][-1]
    assert job["command"][-1].endswith(
        "--cache /c --cache-size 2000000 --lanes 2 --no-overlap --engine ray "
        "--actors encode=1x0,decode=2x1,score=1x0 --poll 60.0 --in-process"
    )
    assert "cannot call a worker in a job" in work("--store", "hub:a/b", "--webhook", "8").stderr
    assert "a job cannot reach" in work("--store", "folder").stderr
    assert "wanted OWNER/DATASET:/PATH" in work("--store", "hub:a/b", "--mount", "x").stderr
