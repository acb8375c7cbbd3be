"""Starting the worker as a Hugging Face Job: the same command, on a rented GPU."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocol.errors import InputError, JobError
from submission.redaction import HIDDEN, redact

IMAGE = "python:3.12"
"""torch's wheels bring CUDA; the driver is the machine's."""
TOKEN = "HF_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """What a job runs; no secret is in it.

    Raises:
        InputError: the timeout has no unit, or a secret stands in the command.
    """

    flavor: str
    """Hardware, as `hf jobs hardware` names it: `a100-large`, `h200`."""
    timeout: str
    """How long it may run, `6h`; said always, for the Hub's default is 30 minutes."""
    worker: Sequence[str]
    """The arguments of `cmc work`."""
    source: str = ""
    """What pip installs, a path or an address; empty where the image has it."""
    namespace: str | None = None
    """Who pays; None: the token's account."""
    datasets: Mapping[str, str] = field(default_factory=dict)
    """Datasets of the Hub that are mounted for reading, and where."""

    def __post_init__(self) -> None:
        """Refuse what the Hub would, or what it would show to others."""
        if not re.fullmatch(r"[1-9]\d*(\.\d+)?[smhd]", self.timeout):
            raise InputError(
                f"--timeout {self.timeout}: wanted a number with s, m, h or d, as in 6h"
            )
        if any(HIDDEN in redact(word) for word in (*self.worker, self.source)):
            raise InputError(
                "a token stands in the command, which whoever may see the job can read; the Hub's "
                "goes as a secret, and what is installed with --source must need none"
            )

    @property
    def command(self) -> list[str]:
        """Return what the job's shell runs."""
        import shlex

        steps = ["set -e"]
        if self.source:
            extras = "evaluator,ray" if "ray" in self.worker else "evaluator"
            wanted = f"cmc-bench[{extras}] @ {self.source}"
            steps.append(f"pip install --quiet {shlex.quote(wanted)}")
        steps.append(shlex.join(["cmc", "work", *self.worker]))
        return ["bash", "-c", "\n".join(steps)]


@dataclass(frozen=True, slots=True)
class StartedJob:
    """A job that the Hub took."""

    job_id: str
    url: str
    stage: str


def start_job(
    plan: JobPlan,
    *,
    token: str | None = None,
    worker_token: str = "",
    environment: Mapping[str, str] = os.environ,
    endpoint: str | None = None,
) -> StartedJob:
    """Start a worker as a job and return where to see it.

    Args:
        plan: what it runs.
        token: of the account that pays; None: the one that `hf auth login` left.
        worker_token: what the worker writes results with; the first token where none is given.
        environment: of this process; settings of the Hub that are no secret go with the job.
        endpoint: address of the Hub; None is the one of `HF_ENDPOINT`.

    Raises:
        JobError: the Hub refuses, or there is no token.
    """
    import httpx2
    from huggingface_hub import HfApi, Volume, get_token
    from huggingface_hub.errors import HfHubHTTPError

    token = token or get_token()
    if token is None:
        raise JobError("no Hub token here; run `hf auth login`, or set HF_TOKEN")
    shared = {name: environment[name] for name in _PASSED_ON if name in environment}
    try:
        job = HfApi(endpoint=endpoint, token=token).run_job(
            image=IMAGE,
            command=plan.command,
            env={"HF_HUB_DISABLE_TELEMETRY": "1", **shared},
            secrets={TOKEN: worker_token or token},
            flavor=plan.flavor,
            timeout=plan.timeout,
            labels={"app": "cmc-bench"},
            namespace=plan.namespace,
            volumes=[
                Volume(type="dataset", source=source, mount_path=path, read_only=True)
                for source, path in plan.datasets.items()
            ]
            or None,
        )
    except (HfHubHTTPError, httpx2.HTTPError, ValueError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else ""
        raise JobError(
            f"the Hub starts no job on {plan.flavor} ({type(error).__name__}: {reason}); jobs need "
            "a positive balance and a token that may start them"
        ) from error
    return StartedJob(job.id, job.url, str(job.status.stage) if job.status else "")


_PASSED_ON = ("CMC_STORE", "CMC_ENDPOINTS", "HF_ENDPOINT", "HF_HUB_DISABLE_XET")
