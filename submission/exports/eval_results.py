"""`.eval_results/*.yaml` for a model's repository on the Hub, and the pull request that brings it.

One task id an indicator. The form has no field for a partner model, an interval or a version; they
stand in the notes. Strings are written as JSON, which YAML reads as strings: an unquoted date would
become a date.
"""

import json
from collections.abc import Iterator

from protocol.boards import PUBLISHED_BENCH, bench_of
from protocol.errors import InputError
from protocol.records import Result
from protocol.rules import Role
from submission.exports.tasks import (
    BENCHMARK,
    BENCHMARK_CONFIG,
    TaskValue,
    benchmark_commit,
    hub_model,
    task_ids,
)

FOLDER = ".eval_results"
FRAMEWORK = "cmc-bench"
_DESCRIPTION = (
    "Cross-modality image compression: an image-to-text encoder and a text-to-image decoder in "
    "four modes, scored for consistency (FR) and perception (NR) by TOPIQ."
)


def eval_results_path(result: Result) -> str:
    """Return where the file lies in the model's repository: one file a row."""
    return f"{FOLDER}/cmc-bench-{result.request.request_id}.yaml"


def eval_results_yaml(result: Result, values: tuple[TaskValue, ...], source_url: str = "") -> str:
    """Return the file's text.

    Args:
        result: a row of the benchmark's own pictures.
        values: what `task_values` returned.
        source_url: address of the row's result, where it is published.

    Raises:
        InputError: the model is not on the Hub, or the row of other pictures, weights or rules.
    """
    hub_model(result)
    revision = benchmark_commit(result)
    dataset, protocol = result.request.dataset, result.request.protocol
    if bench_of(result) != PUBLISHED_BENCH or not revision:
        raise InputError(
            f"{result.request.request_id} is about {dataset} under {protocol}; only rows of "
            f"{BENCHMARK} under {PUBLISHED_BENCH.protocol}, with its released weights, belong in a "
            "model's repository"
        )
    return "".join(line + "\n" for line in _lines(result, values, source_url, revision))


def benchmark_yaml() -> str:
    """Return `eval.yaml`, which makes the dataset a benchmark of these tasks on the Hub."""
    tasks = [*task_ids(Role.I2T), *task_ids(Role.T2I)]
    # No split: each is a content, and a task is about all of them.
    lines = [
        'name: "CMC-Bench"',
        f"description: {json.dumps(_DESCRIPTION)}",
        f'evaluation_framework: "{FRAMEWORK}"',
        "tasks:",
        *(f'  - {{id: "{task_id}", config: "{BENCHMARK_CONFIG}"}}' for task_id in tasks),
    ]
    return "\n".join(lines) + "\n"


def open_pull_request(
    result: Result, text: str, *, token: str | None = None, endpoint: str | None = None
) -> str:
    """Open a pull request with the file on the model's repository and return its address.

    Nobody needs the right to write there; an open request with the same title is returned and no
    second one made.

    Raises:
        InputError: the model is not on the Hub, or the Hub refuses.
    """
    import httpx2
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    model = hub_model(result).model
    title = f"CMC-Bench results of request {result.request.request_id}"
    api = HfApi(endpoint=endpoint, token=token)
    try:
        for found in api.get_repo_discussions(model, discussion_type="pull_request"):
            if found.title == title and found.status in ("open", "draft"):
                return found.url
        made = api.create_commit(
            model,
            [CommitOperationAdd(eval_results_path(result), text.encode())],
            commit_message=title,
            commit_description="Numbers of the public leaderboard; close this if you disagree.",
            create_pr=True,
        )
    except (HfHubHTTPError, httpx2.HTTPError) as error:
        raise InputError(
            f"{model} takes no pull request ({type(error).__name__}): "
            + str(error).partition("\n")[0][:200]
        ) from error
    return str(made.pr_url)


def _lines(
    result: Result, values: tuple[TaskValue, ...], source_url: str, revision: str
) -> Iterator[str]:
    for value in values:
        yield "- dataset:"
        yield f"    id: {json.dumps(BENCHMARK)}"
        yield f"    task_id: {json.dumps(value.task_id)}"
        yield f"    revision: {json.dumps(revision)}"
        yield f"  value: {value.value:.6g}"
        yield f"  date: {json.dumps(result.provenance.finished_at[:10])}"
        if source_url:
            yield "  source:"
            yield f"    url: {json.dumps(source_url)}"
            yield '    name: "CMC-Bench results"'
        yield f"  notes: {json.dumps(notes_of(result, value), ensure_ascii=False)}"


def notes_of(result: Result, value: TaskValue) -> str:
    """Return what the form has no field for: partner, interval, protocol and version."""
    request = result.request
    parts = [f"model at {hub_model(result).revision[:12]}"]
    if request.partner:
        other = "I2T" if request.role is Role.T2I else "T2I"
        parts.append(f"{other}={request.partner}")
    if value.indicator:
        parts.append(f"indicator={value.indicator}")
    parts.append(f"{value.images} images")
    if value.interval is not None:
        low, high, level = value.interval.low, value.interval.high, value.interval.level
        parts.append(f"{level:.0%} CI {low:.4f} to {high:.4f}")
    parts.append(f"protocol {request.protocol}, code {result.provenance.code_version}")
    return "; ".join(parts)
