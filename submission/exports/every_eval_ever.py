"""A record of Every Eval Ever 0.3.0: aggregates of one row.

Its per-sample form is made for questions and answers; per-image scores stay in our Parquet.
"""

import json
from collections.abc import Sequence
from typing import Any

from protocol.facts import facts_of_result
from protocol.records import Result, System
from protocol.rules import Role
from protocol.systems import ENDPOINT_ADAPTERS
from submission.exports.tasks import BENCHMARK, TaskValue, benchmark_commit

SCHEMA_VERSION = "0.3.0"
ORGANISATION = "CMC-Bench"


def every_eval_ever(
    result: Result, values: Sequence[TaskValue], retrieved_at: int
) -> dict[str, Any]:
    """Return the record as JSON objects.

    Args:
        result: the row.
        values: what `task_values` returned; at least one.
        retrieved_at: now, in seconds since 1970.
    """
    request = result.request
    provenance = result.provenance
    return {
        "schema_version": SCHEMA_VERSION,
        # Of the row and not of this moment: an export made twice is the same record.
        "evaluation_id": f"cmc-bench/{_model_id(result)}/{request.request_id}",
        "evaluation_timestamp": provenance.finished_at,
        "retrieved_timestamp": str(retrieved_at),
        "source_metadata": {
            "source_name": "CMC-Bench leaderboard",
            "source_type": "evaluation_run",
            "source_organization_name": ORGANISATION,
            "evaluator_relationship": "third_party",
            "additional_details": {
                "row": result.source,
                "request_id": request.request_id,
                "submitter": request.submitter,
                "per_image_sha256": result.per_image_sha256,
            },
        },
        "eval_library": {
            "name": "cmc-bench",
            "version": provenance.code_version,
            "additional_details": {
                "protocol": request.protocol,
                "libraries": json.dumps(dict(provenance.libraries), sort_keys=True),
                "device": provenance.device,
                "seed": str(provenance.seed),
            },
        },
        "model_info": _model_info(result),
        "evaluation_results": [_evaluation(result, value) for value in values],
    }


def _evaluation(result: Result, value: TaskValue) -> dict[str, Any]:
    uncertainty: dict[str, Any] = {"num_samples": value.images}
    if value.interval is not None:
        uncertainty["confidence_interval"] = {
            "lower": value.interval.low,
            "upper": value.interval.high,
            "confidence_level": value.interval.level,
        }
    name = value.indicator or "overall"
    return {
        "evaluation_result_id": f"{result.request.request_id}.{value.task_id}",
        "evaluation_name": f"cmc_bench.{value.task_id}",
        "source_data": _source_data(result),
        "evaluation_timestamp": result.provenance.finished_at,
        "metric_config": {
            "metric_id": f"cmc_bench.{name}",
            "metric_name": name,
            "lower_is_better": False,
            "score_type": "continuous",
            # The benchmark's weights state no range.
            "min_score": "-Infinity",
            "max_score": "Infinity",
        },
        "score_details": {"score": value.value, "uncertainty": uncertainty},
        "generation_config": {"additional_details": _generation(result)},
    }


def _source_data(result: Result) -> dict[str, Any]:
    request = result.request
    is_released = request.dataset == BENCHMARK.rpartition("/")[2]
    details = {"sha256": request.dataset_sha256}
    if not is_released:
        return {
            "dataset_name": request.dataset,
            "source_type": "other",
            "additional_details": details,
        }
    commit = benchmark_commit(result)
    return {
        "dataset_name": request.dataset,
        "source_type": "hf_dataset",
        "hf_repo": BENCHMARK,
        "hf_split": "test",
        "samples_number": result.images,
        "additional_details": {**details, **({"revision": commit} if commit else {})},
    }


def _generation(result: Result) -> dict[str, str]:
    request = result.request
    told = {"partner": request.partner, "modes": ",".join(request.modes)}
    for part, system in (("i2t", request.i2t), ("t2i", request.t2i), ("codec", request.codec)):
        if system is not None:
            told[part] = json.dumps(system.identity, sort_keys=True, default=str)
    return told


def _model_info(result: Result) -> dict[str, Any]:
    system = result.request.compared
    deployment, availability = "self_deployed", "open_weights"
    if system is None or system.path or not system.revision:
        availability = "unknown"
    if system is not None and _is_served(system):
        deployment = "externally_managed"
        is_open = facts_of_result(result).open_weights
        if is_open is not None:
            availability = "open_weights" if is_open else "closed_weights"
    told = {"deployment_type": deployment, "model_availability": availability}
    if system is not None and system.revision:
        told["revision"] = system.revision
    return {
        "name": result.request.label,
        "id": _model_id(result),
        "developer": _model_id(result).partition("/")[0],
        "additional_details": told,
    }


def _model_id(result: Result) -> str:
    """Return `developer/name`; the developer is `unknown` where the model is not on the Hub."""
    system = result.request.compared
    name = result.request.label
    # A codec's `model` is its quality alone.
    if system is not None and result.request.role is not Role.CODEC:
        name = system.model or system.adapter
    if system is not None and not system.path and name.count("/") == 1:
        return name
    return f"unknown/{name.replace('/', '-').replace(' ', '-')}"


def _is_served(system: System) -> bool:
    return system.adapter.replace("_", "-") in ENDPOINT_ADAPTERS
