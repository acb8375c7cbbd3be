"""The registry: every row can be read, no name means two systems, and names resolve."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evaluator.adapters import adapter_names
from evaluator.requests import make_request
from protocol.errors import InputError, ModelError
from protocol.prompts import PROMPTS, find_prompt
from protocol.published import aggregates, read_table
from protocol.records import Request
from protocol.rules import CAPTION_PROMPTS, Mode, Role
from protocol.systems import (
    ADAPTERS,
    ENDPOINT_ADAPTERS,
    NamedSystem,
    Readiness,
    find_system,
    named_systems,
    near_names,
)
from submission.systems import adapter_of, pin_system, resolve

ROWS = named_systems()
COMMIT = "c" * 40


def test_names_and_aliases_are_unique_in_any_case() -> None:
    names = [name.casefold() for row in ROWS for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))
    assert not any(set(":?@& ") & set(name) for name in names)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_has_an_adapter_of_its_role_unless_it_says_why_not(row: NamedSystem) -> None:
    if row.status in (Readiness.UNKNOWN, Readiness.NO_ADAPTER):
        assert row.adapter == ""
        assert row.notes
    else:
        assert row.adapter in ADAPTERS[row.role]
    assert row.modes == tuple(mode for mode in Mode if mode in row.modes)
    assert row.revision == "" or len(row.revision) == 40
    if row.role is Role.I2T:
        assert Mode.IMAGE not in row.modes
        assert row.settings.get("prompt", "none") in PROMPTS


def test_every_adapter_is_known_by_its_name() -> None:
    for role, package in ((Role.I2T, "captioners"), (Role.T2I, "decoders"), (Role.CODEC, "codecs")):
        names = {name.replace("_", "-") for name in adapter_names(f"evaluator.{package}")}
        assert names <= set(ADAPTERS[role])


def test_every_published_system_is_in_the_registry() -> None:
    published = {row.model for row in aggregates()} | {row["model"] for row in read_table("cells")}
    assert [name for name in published if find_system(name) is None] == []


@pytest.mark.parametrize(
    "name", ["CDC", "CHENG", "HiFiC", "PICS", "MS-ILLM", "PerCo", "Text+Sketch", "SUPIR", "Gemini"]
)
def test_what_the_papers_compare_with_is_in_the_registry_too(name: str) -> None:
    row = find_system(name)
    assert row is not None
    with pytest.raises(ModelError, match=r"has no adapter here|base_url"):
        pin_system(name)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_name_resolves_or_says_what_to_do(row: NamedSystem) -> None:
    if row.status is Readiness.READY:
        expected = f"{row.adapter}:{row.repo}" if row.repo else row.adapter
        assert resolve(row.name.upper(), row.role).partition("?")[0] == expected
    else:
        with pytest.raises(ModelError, match=r"ADAPTER:MODEL|/v1|:FOLDER"):
            resolve(row.name)


def test_what_stands_behind_a_name_replaces_what_the_registry_says() -> None:
    assert resolve("llava-1.5") == "transformers:llava-hf/llava-1.5-7b-hf?prompt=q10"
    changed = f"LLaVA@{COMMIT}?prompt=q50&cut=words"
    system = pin_system(changed)
    assert (system.model, system.revision) == ("llava-hf/llava-1.5-7b-hf", COMMIT)
    assert system.settings == {"prompt": "q50", "cut": "words"}
    assert pin_system(resolve(changed)) == system
    assert adapter_of("llava") == "transformers"


def test_what_is_no_name_stays_as_it_is() -> None:
    for text in ("start_image", "vvc:53", "diffusers:acme/model?a=1", "file:captions.csv"):
        assert resolve(text) == text


def test_an_unknown_name_is_answered_with_those_like_it() -> None:
    with pytest.raises(ModelError, match=r"no system is called 'realviz'; did you mean RealVis"):
        resolve("realviz")
    with pytest.raises(ModelError, match=r"no system is called '\$\$'; `cmc systems` lists"):
        resolve("$$")
    assert near_names("qwen2.5vl")[0].startswith("Qwen2.5-VL")


def test_a_name_of_the_other_role_is_refused() -> None:
    with pytest.raises(ModelError, match="RealVis is a T2I system; wanted an I2T system"):
        resolve("realvis", Role.I2T)


def test_a_system_that_needs_a_server_runs_when_one_is_named() -> None:
    with pytest.raises(ModelError, match=r"file:CAPTIONS\.csv"):
        pin_system("qwen-vl")
    system = pin_system("qwen-vl?base_url=http://127.0.0.1:8000/v1")
    assert (system.adapter, system.model, system.revision) == ("openai", "Qwen/Qwen-VL-Chat", "")
    settings = {"prompt": "q10", "max_new_tokens": "1024"}
    assert system.settings == {**settings, "base_url": "http://127.0.0.1:8000/v1"}


def test_a_servers_model_needs_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert {"openai", "openai-image"} == ENDPOINT_ADAPTERS
    assert pin_system("gpt-4o").model == "gpt-4o-2024-11-20"
    assert pin_system("openai:owner/name").revision == ""


def test_the_prompts_are_the_papers_the_scripts_and_reconstructions_that_say_so() -> None:
    assert {n: p.text for n, p in PROMPTS.items() if n[0] == "q"} == {
        f"q{words}": text for words, text in CAPTION_PROMPTS.items()
    }
    assert find_prompt("s10").text == (
        "Generate an informative paragraph in 10 words based on the image."
        "Considering Light and Color"
    )
    raster = find_prompt("raster60")
    assert raster.text.endswith("in 60 words or fewer.")
    assert "reconstruction" in raster.source
    assert (find_prompt("none").text, find_prompt("none").words) == ("", None)
    with pytest.raises(InputError, match="no prompt 'q7'; there are q5, q10"):
        find_prompt("q7")


def test_the_command_lists_every_row_as_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evaluator", "systems", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    listed = json.loads(done.stdout)
    keys = {"name", "role", "repo", "revision", "adapter", "licence", "modes", "aliases", "status"}
    assert [row["name"] for row in listed] == [row.name for row in ROWS]
    assert all(keys <= set(row) for row in listed)


def test_a_request_by_name_is_the_request_by_its_parts(images: Path, captions: Path) -> None:
    def ask(t2i: str) -> Request:
        return make_request(
            role=Role.T2I,
            i2t=f"file:{captions}",
            t2i=t2i,
            codec=None,
            modes=(),
            protocol="demo-0",
            images=images,
            dataset="three",
            submitter="tests",
        )

    by_name = ask(f"RealVis@{COMMIT}")
    assert by_name.request_id == ask(f"diffusers:SG161222/RealVisXL_V4.0@{COMMIT}").request_id
    with pytest.raises(ModelError, match="GPT-4o is an I2T system; wanted a T2I system"):
        ask("gpt-4o")
