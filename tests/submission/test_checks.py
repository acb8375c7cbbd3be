"""Every refusal of a model by its code, from the facts that are known of it."""

from pathlib import Path
from typing import Any

import pytest
from made_facts import codes, facts

from submission.checks import Subject, examine_model
from submission.facts import FileFact, Trouble
from submission.findings import NOTES, Code
from submission.limits import Limits
from submission.served import served_by

DOCS = Path(__file__).parents[2] / "docs" / "submitting.md"


def codes_of(adapter: str = "diffusers", limits: Limits | None = None, **changes: Any) -> set[Code]:
    subject = Subject(
        about="t2i",
        adapter=adapter,
        served=served_by()[adapter],
        facts=facts(**changes),
        limits=limits or Limits(),
    )
    return codes(examine_model(subject))


def weights(name: str, **changes: Any) -> FileFact:
    return FileFact(**{"name": name, "file_bytes": 1 << 20, **changes})


FILM = weights("film.mp4", file_bytes=10**12)


def test_a_model_that_nothing_is_wrong_with_is_accepted_with_its_licence_named() -> None:
    assert codes_of() == {Code.LICENCE}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trouble": Trouble.NOT_FOUND}, Code.MODEL_NOT_FOUND),
        ({"trouble": Trouble.NO_REVISION}, Code.REVISION_NOT_FOUND),
        ({"trouble": Trouble.UNREACHABLE}, Code.HUB_UNREACHABLE),
        ({"trouble": Trouble.NO_ACCESS}, Code.GATED_NO_ACCESS),
        ({"trouble": Trouble.DISABLED}, Code.MODEL_DISABLED),
        ({"trouble": Trouble.TOO_MANY_FILES}, Code.TOO_LARGE),
        ({"trouble": Trouble.BAD_CONFIG}, Code.BAD_CONFIG),
        ({"gated": "manual"}, Code.GATED),
        ({"is_private": True}, Code.PRIVATE),
        ({"licence": ""}, Code.NO_LICENCE),
        ({"base_models": ("acme/base",)}, Code.BASE_MODEL),
        ({"pipeline_class": "WanPipeline"}, Code.UNSUPPORTED_PIPELINE),
        ({"pipeline_class": ""}, Code.UNSUPPORTED_PIPELINE),
        ({"remote_code": ("config.json: auto_map",)}, Code.REMOTE_CODE_REQUIRED),
        ({"flagged_files": ("unet/evil.bin",)}, Code.UNSAFE_FILE),
        ({"files": (weights("unet/model.bin"),)}, Code.NO_SAFETENSORS),
        ({"files": ()}, Code.NO_SAFETENSORS),
        (
            {"files": (weights("unet/a.safetensors", header_is_whole=False),)},
            Code.DAMAGED_WEIGHTS,
        ),
        ({"files": (weights("a.safetensors", file_bytes=10**12),)}, Code.TOO_LARGE),
        (
            {"is_local": True, "files": (weights("a.safetensors"), FILM)},
            Code.TOO_LARGE,
        ),
        (
            {"files": (weights("unet/a.safetensors"), weights("unet/a.bin"))},
            Code.PICKLES_IGNORED,
        ),
        (
            {"files": (weights("a.safetensors"), weights("pytorch_lora_weights.safetensors"))},
            Code.ADAPTER_IGNORED,
        ),
    ],
)
def test_each_defect_has_its_code(changes: dict[str, Any], code: Code) -> None:
    found = codes_of(**changes)
    assert code in found
    assert found <= {code, *NOTES}


def test_what_an_adapter_reads_as_tensors_only_may_be_a_pickle() -> None:
    assert not codes_of("spandrel", files=(weights("net.pth"),)) - NOTES


def test_a_model_type_is_what_an_i2t_model_is_known_by() -> None:
    assert not codes_of("transformers", model_type="llava") - NOTES
    assert Code.UNSUPPORTED_PIPELINE in codes_of("transformers", model_type="bert")


@pytest.mark.parametrize(
    ("adapter", "changes"),
    [
        ("transformers", {"files": (weights("model.safetensors"), weights("adapter_config.json"))}),
        ("diffusers", {"files": (weights("pytorch_lora_weights.safetensors"),)}),
    ],
)
def test_an_adapter_for_another_model_is_to_be_merged_first(
    adapter: str, changes: dict[str, Any]
) -> None:
    subject = Subject(
        about="t2i",
        adapter=adapter,
        served=served_by()[adapter],
        facts=facts(model_type="llava", pipeline_class="", **changes),
        limits=Limits(),
    )
    found = [finding for finding in examine_model(subject) if "merge it" in finding.remedy]
    assert [finding.code for finding in found] == [Code.UNSUPPORTED_PIPELINE]


def test_a_checkpoint_in_one_file_is_to_be_made_a_folder() -> None:
    def remedies(*files: str) -> str:
        subject = Subject(
            about="t2i",
            adapter="diffusers",
            served=served_by()["diffusers"],
            facts=facts(pipeline_class="", files=tuple(map(weights, files))),
            limits=Limits(),
        )
        return " ".join(finding.remedy for finding in examine_model(subject))

    assert "from_single_file()" in remedies("sdxl.safetensors")
    assert "from_single_file()" not in remedies("model.safetensors", "config.json")
    assert "from_single_file()" not in remedies("pytorch_lora_weights.safetensors")


def test_what_a_whole_pipeline_does_not_load_may_lie_beside_it() -> None:
    own = weights("unet/a.safetensors")
    lora = weights("pytorch_lora_weights.safetensors")
    assert not codes_of(files=(own, lora)) - NOTES
    # On the Hub only what is loaded is fetched.
    assert not codes_of(files=(own, FILM)) - NOTES


def test_a_class_that_is_nearly_one_that_is_known_is_asked_after() -> None:
    subject = Subject(
        about="t2i",
        adapter="diffusers",
        served=served_by()["diffusers"],
        facts=facts(pipeline_class="StableDifusionXLPipeline"),
        limits=Limits(),
    )
    found = {finding.code: finding.remedy for finding in examine_model(subject)}
    wanted = "did you mean StableDiffusionXLPipeline? "
    assert found[Code.UNSUPPORTED_PIPELINE].startswith(wanted)


def test_of_two_variants_only_the_smaller_must_fit() -> None:
    two = (
        weights("unet/model.safetensors", file_bytes=50 << 30),
        weights("unet/model.fp16.safetensors", file_bytes=25 << 30),
    )
    assert not codes_of(files=two, limits=Limits(weight_bytes=30 << 30)) - NOTES
    assert Code.TOO_LARGE in codes_of(files=two, limits=Limits(weight_bytes=20 << 30))


def test_equal_weights_have_one_fingerprint_whatever_lies_around_them() -> None:
    own = weights("unet/model.safetensors", content_hash="1" * 64)
    plain = facts(files=(own,))
    renamed = facts(
        name="thief/new-name",
        files=(
            weights("unet/renamed.safetensors", content_hash="1" * 64),
            weights("vae/other.safetensors", content_hash="2" * 64),
            weights("unet/same.bin", content_hash="3" * 64),
        ),
    )
    both = facts(files=(own, weights("unet/model.fp16.safetensors", content_hash="4" * 64)))
    tuned = facts(files=(weights("unet/model.safetensors", content_hash="5" * 64),))
    assert plain.fingerprints == renamed.fingerprints
    assert set(plain.fingerprints) & set(both.fingerprints)
    assert not set(plain.fingerprints) & set(tuned.fingerprints)
    assert facts(files=(weights("unet/model.safetensors"),)).fingerprints == ()


def test_every_code_is_explained_to_submitters() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert not [code for code in Code if f"`{code}`" not in text]
