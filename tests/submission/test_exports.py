"""A row in other boards' forms: read back by their own readers, or held to their schema."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jsonschema
import pytest
import yaml
from httpx2 import PoolTimeout
from huggingface_hub import CommitOperationAdd, HfApi, parse_eval_result_entries
from loopback_hub import LoopbackHub
from made_provenance import make_provenance

from dataset_cards.cmc_bench.features import GROUND_TRUTH
from protocol.errors import InputError
from protocol.records import IndicatorUse, Request, Result, Score, System
from protocol.rules import TRACKS, Content, Dimension, Mode, Role, Track
from submission.exports.eval_results import (
    benchmark_yaml,
    eval_results_path,
    eval_results_yaml,
    open_pull_request,
)
from submission.exports.every_eval_ever import every_eval_ever
from submission.exports.tasks import BENCHMARK, Interval, task_ids, task_values
from submission.exports.texts import bibtex, csv_text

SCHEMA = Path(__file__).parents[1] / "data" / "every_eval_ever" / "eval-0.3.0.schema.json"
COMMIT = "c" * 40
PAINTER = System(adapter="diffusers", model="acme/painter", revision="a" * 40, path="")
WRITER = System(adapter="openai", model='gpt "4o"', revision="", path="")


def use(dimension: Dimension) -> IndicatorUse:
    return IndicatorUse(
        dimension=dimension,
        name=f"topiq_{dimension}",
        implementation="pyiqa",
        weights_sha256="d" * 64,
        weights_origin=f"{BENCHMARK}@{COMMIT}:topiq-{dimension}.pth",
    )


PROVENANCE = make_provenance(
    libraries={"torch": "2.9"},
    device="NVIDIA A100",
    codec="vvc",
    code_version="0.1.0",
    indicators=(use(Dimension.FR), use(Dimension.NR)),
    seed=42,
    batch_size=8,
    finished_at="2026-11-22T10:00:00.000Z",
)


def result(modes: tuple[Mode, ...] = TRACKS[Track.T2I].modes, **changes: Any) -> Result:
    request = Request(
        **{
            "role": Role.T2I,
            "i2t": WRITER,
            "t2i": PAINTER,
            "codec": None,
            "modes": modes,
            "protocol": "cmc-1",
            "dataset": "CMC-Bench",
            "dataset_sha256": "e" * 64,
            "submitter": "ada",
            "submitted_at": "2026-11-20T10:00:00.000Z",
            **changes,
        }
    )
    return Result(
        schema_version=1,
        request=request,
        source="verified",
        images=1000,
        scores=tuple(
            Score(
                mode=mode,
                dimension=dimension,
                content=content,
                images=images,
                not_scored=0,
                mean=mean + 0.125 * (dimension is Dimension.FR),
            )
            for mode in modes
            for dimension in Dimension
            for content, images, mean in ((None, 1000, 0.5), (Content.SCI, 300, 0.75))
        ),
        rates=(),
        costs=(),
        provenance=PROVENANCE,
        per_image_sha256="f" * 64,
    )


INTERVALS = {"t2i_full_fr": Interval(low=0.61, high=0.64, level=0.95)}


def test_an_overall_needs_every_mode_of_its_board() -> None:
    ids = [value.task_id for value in task_values(result())]
    assert ids == task_ids(Role.T2I)
    partial = [value.task_id for value in task_values(result((Mode.FULL, Mode.IMAGE)))]
    assert partial == ["t2i_full_fr", "t2i_full_nr", "t2i_image_fr", "t2i_image_nr"]


def test_the_hubs_own_reader_reads_the_models_file() -> None:
    row = result()
    text = eval_results_yaml(row, task_values(row, INTERVALS), "https://example.org/r.json")
    entries = parse_eval_result_entries(yaml.safe_load(text))
    assert [entry.task_id for entry in entries] == task_ids(Role.T2I)
    full = next(entry for entry in entries if entry.task_id == "t2i_full_fr")
    assert (full.dataset_id, full.dataset_revision, full.value) == (BENCHMARK, COMMIT, 0.625)
    assert full.date == "2026-11-22"
    assert full.source_url == "https://example.org/r.json"
    assert full.notes == (
        'model at aaaaaaaaaaaa; I2T=gpt "4o"; indicator=topiq_fr; 1000 images; '
        "95% CI 0.6100 to 0.6400; protocol cmc-1, code 0.1.0"
    )


def test_every_task_of_a_row_is_one_of_the_benchmarks() -> None:
    declared = yaml.safe_load(benchmark_yaml())
    assert set(declared) == {"name", "description", "evaluation_framework", "tasks"}
    ids = [task["id"] for task in declared["tasks"]]
    assert len(ids) == len(set(ids)) == 7 + 9
    assert set(task_ids(Role.T2I) + task_ids(Role.I2T)) == set(ids)
    # A table that the dataset has, and all of its splits.
    assert {tuple(task) for task in declared["tasks"]} == {("id", "config")}
    assert {task["config"] for task in declared["tasks"]} == {GROUND_TRUTH.name}


@pytest.mark.parametrize(
    "changes",
    [
        {"t2i": replace(PAINTER, path="/models/painter", model="painter")},
        {"t2i": replace(PAINTER, adapter="openai-image")},
        {"dataset": "my pictures"},
        {"protocol": "cmc-1?steps=20"},
    ],
)
def test_only_hub_models_on_the_benchmark_go_into_a_repository(changes: dict[str, Any]) -> None:
    row = result(**changes)
    with pytest.raises(InputError, match=r"on the Hub|belong in a model's"):
        eval_results_yaml(row, task_values(row))


def test_a_pull_request_is_opened_once_and_needs_no_right_to_write(hub: LoopbackHub) -> None:
    api = hub.api()
    api.create_repo("acme/painter")
    readme = [CommitOperationAdd("README.md", b"# A")]
    before = api.create_commit("acme/painter", readme, commit_message="start").oid
    guest = hub.add_account("guest-token", "guest", rights={"*": "pr"})
    row = result()
    text = eval_results_yaml(row, task_values(row))
    url = open_pull_request(row, text, token=guest, endpoint=hub.endpoint)
    assert url.endswith("acme/painter/discussions/1")
    assert open_pull_request(row, text, token=guest, endpoint=hub.endpoint) == url
    assert api.model_info("acme/painter").sha == before
    assert eval_results_path(row) in api.list_repo_files("acme/painter", revision="refs/pr/1")
    stranger = hub.add_account("stranger-token", "stranger", rights={"*": "read"})
    other = result(submitted_at="2026-11-22T10:00:00Z", protocol="demo-1")
    with pytest.raises(InputError, match="takes no pull request"):
        open_pull_request(other, text, token=stranger, endpoint=hub.endpoint)
    wordless = patch.object(HfApi, "create_commit", side_effect=PoolTimeout(""))
    with wordless, pytest.raises(InputError, match=r"no pull request \(PoolTimeout\)"):
        open_pull_request(other, text, token=guest, endpoint=hub.endpoint)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dataset": "my pictures"},
        {"t2i": replace(PAINTER, adapter="openai-image", model="gpt-image-1", revision="")},
        {"t2i": replace(PAINTER, path="/models/p", model="my painter")},
        {"role": Role.I2T},
        {
            "role": Role.CODEC,
            "i2t": None,
            "t2i": None,
            "codec": System(adapter="vvc", model="53", revision="", path=""),
        },
    ],
)
def test_a_record_of_every_eval_ever_fits_its_schema(changes: dict[str, Any]) -> None:
    row = result(**changes)
    record = every_eval_ever(row, task_values(row, INTERVALS), 1_790_000_000)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert schema["version"] == record["schema_version"]
    jsonschema.Draft7Validator(schema).validate(json.loads(json.dumps(record)))
    assert record["evaluation_results"]
    broken = {**record, "source_metadata": {}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(broken)


def test_a_record_says_what_was_measured_on_what() -> None:
    row = result()
    record = every_eval_ever(row, task_values(row, INTERVALS), 1_790_000_000)
    told = {one["evaluation_name"]: one for one in record["evaluation_results"]}
    whole, full = told["cmc_bench.t2i_overall"], told["cmc_bench.t2i_full_fr"]
    assert whole["score_details"] == {
        "score": pytest.approx((2 * 0.625 + 0.5) / 3),
        "uncertainty": {"num_samples": 1000},
    }
    assert whole["metric_config"]["metric_name"] == "overall"
    assert full["score_details"]["uncertainty"]["confidence_interval"] == {
        "lower": 0.61,
        "upper": 0.64,
        "confidence_level": 0.95,
    }
    assert full["metric_config"]["metric_id"] == "cmc_bench.topiq_fr"
    assert full["metric_config"]["lower_is_better"] is False
    source = full["source_data"]
    assert (source["hf_repo"], source["samples_number"]) == (BENCHMARK, 1000)
    assert source["additional_details"] == {"sha256": "e" * 64, "revision": COMMIT}
    asked = full["generation_config"]["additional_details"]
    assert set(asked) == {"partner", "modes", "i2t", "t2i"}
    assert json.loads(asked["t2i"])["model"] == "acme/painter"
    own = result(dataset="my pictures")
    (source, *_) = (
        one["source_data"]
        for one in every_eval_ever(own, task_values(own), 1)["evaluation_results"]
    )
    assert (source["source_type"], "hf_repo" in source) == ("other", False)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ("self_deployed", "open_weights", "acme/painter", "acme", "a" * 40)),
        (
            {"t2i": replace(PAINTER, path="/models/p", model="my painter")},
            ("self_deployed", "unknown", "unknown/my-painter", "unknown", "a" * 40),
        ),
        (
            {"role": Role.I2T, "i2t": replace(WRITER, model="gpt-4o-2024-11-20")},
            ("externally_managed", "closed_weights", "unknown/gpt-4o-2024-11-20", "unknown", None),
        ),
        (
            {"role": Role.I2T, "i2t": replace(WRITER, model="llava-hf/llava-1.5-7b-hf")},
            ("externally_managed", "unknown", "llava-hf/llava-1.5-7b-hf", "llava-hf", None),
        ),
    ],
)
def test_whose_model_it_is_and_whether_its_weights_are_open_is_said_where_it_is_known(
    changes: dict[str, Any], told: tuple[str | None, ...]
) -> None:
    row = result(**changes)
    model = every_eval_ever(row, task_values(row), 1)["model_info"]
    details = model["additional_details"]
    deployed = details["deployment_type"], details["model_availability"]
    assert (*deployed, model["id"], model["developer"], details.get("revision")) == told


def test_codecs_of_one_quality_are_two_models() -> None:
    systems = [System(adapter=name, model="40", revision="", path="") for name in ("vvc", "avc")]
    rows = [result(role=Role.CODEC, i2t=None, t2i=None, codec=system) for system in systems]
    records = [every_eval_ever(row, task_values(row), 1_790_000_000) for row in rows]
    ids = [record["model_info"]["id"] for record in records]
    assert ids == ["unknown/VVC-QP-40", "unknown/AVC-QP-40"]


def test_the_csv_has_a_line_a_task_and_no_formula() -> None:
    row = result(dataset="=1+1")
    lines = list(csv.DictReader(io.StringIO(csv_text(row, task_values(row, INTERVALS)))))
    assert [line["task_id"] for line in lines] == task_ids(Role.T2I)
    full = next(line for line in lines if line["task_id"] == "t2i_full_fr")
    assert (full["value"], full["ci_low"], full["ci_level"]) == ("0.625", "0.61", "0.95")
    assert {line["dataset"] for line in lines} == {"'=1+1"}


def test_a_bibtex_entry_names_the_row_and_holds_no_command() -> None:
    row = result(t2i=replace(PAINTER, model="a/b_c\\input{x}%"))
    text = bibtex(row, "https://example.org")
    assert f"@misc{{cmcbench-{row.request.request_id}," in text
    assert "2406.09356" in text
    assert "\\input" not in text
    assert text.count("{") == text.count("}")
    told = dict(re.findall(r"^  (\w+) = \{(.*)\},?$", text.split("@misc")[1], re.MULTILINE))
    assert told["title"] == 'CMC-Bench row of a/b\\_c input x \\% with gpt "4o"'
    assert (told["author"], told["year"]) == ("{CMC-Bench leaderboard}", "2026")
    assert told["note"].endswith("protocol cmc-1, verified, run on 2026-11-22")
    assert told["url"] == "https://example.org"
    assert "url" not in bibtex(row)


def test_an_address_is_cited_as_it_is_and_ends_no_entry() -> None:
    address = "https://example.org/a_b/~v1.0?view=t2i&row=%41#top"
    assert f"  url = {{{address}}}\n" in bibtex(result(), address)
    assert "url = {https://example.org/%7D%5Cinput%7Bx%20y}\n" in bibtex(
        result(), "https://example.org/}\\input{x y"
    )
