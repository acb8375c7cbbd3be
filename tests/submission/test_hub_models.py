"""What is learnt of a model on the Hub, and in how many calls."""

import functools
import json
import struct

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from loopback_hub import LoopbackHub

from submission.facts import Trouble
from submission.findings import Code, refusals
from submission.hub_models import hub_facts
from submission.identity import Account, SignedInBy, account_of_shell
from submission.intake import Examined, examine_system

MODEL = "acme/painter"
INDEX = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
CARD = "---\nlicense: apache-2.0\nbase_model: acme/base\n---\n# A painter\n"


def tensor_file(fill: int = 0, dtype: str = "F32") -> bytes:
    data = bytes([fill] * 16)[: 16 if dtype == "F32" else 8]
    tensor = {"dtype": dtype, "shape": [4], "data_offsets": [0, len(data)]}
    header = json.dumps({"w": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + data


def upload(api: HfApi, model: str = MODEL, **files: str | bytes) -> str:
    """Make a model of the given files; `__` stands for `/` and `_dot_` for a dot."""
    api.create_repo(model, exist_ok=True)
    contents = {
        "README.md": CARD,
        "model_index.json": json.dumps(INDEX),
        "unet/config.json": "{}",
        "unet/model.safetensors": tensor_file(),
        **{name.replace("__", "/").replace("_dot_", "."): held for name, held in files.items()},
    }
    operations = [
        CommitOperationAdd(name, held.encode() if isinstance(held, str) else held)
        for name, held in contents.items()
    ]
    return str(api.create_commit(model, operations, commit_message="upload").oid)


def examine(hub: LoopbackHub, token: str | None = None, text: str = MODEL) -> Examined:
    look_up = functools.partial(hub_facts, token=token or hub.token, endpoint=hub.endpoint)
    return examine_system("t2i", f"diffusers:{text}", look_up=look_up)


def refused(examined: Examined) -> set[Code]:
    return {finding.code for finding in refusals(examined.findings)}


@pytest.fixture
def api(hub: LoopbackHub) -> HfApi:
    return hub.api()


def test_a_model_is_pinned_described_and_counted_in_four_calls(
    hub: LoopbackHub, api: HfApi
) -> None:
    commit = upload(api)
    hub.calls.clear()
    examined = examine(hub)
    assert not refused(examined)
    assert examined.text == f"diffusers:{MODEL}@{commit}"
    assert examined.facts
    assert examined.facts.licence == "apache-2.0"
    assert examined.facts.base_models == ("acme/base",)
    assert examined.facts.pipeline_class == "StableDiffusionPipeline"
    assert len(examined.facts.fingerprints) == 1
    assert examined.facts.main_parameters == 4
    assert [call.operation for call in hub.calls()] == ["info", "resolve", "resolve", "resolve"]


@pytest.mark.parametrize(
    ("card", "licence", "bases"),
    [
        (
            "license: other\nlicense_name: own-community\nbase_model: [acme/one, acme/two]",
            "own-community",
            ("acme/one", "acme/two"),
        ),
        ("license: other", "other", ()),
        ("license: [mit, gpl-3.0]\nlicense_name: own-community", "mit", ()),
    ],
)
def test_a_licence_of_its_own_has_the_name_that_the_card_gives(
    hub: LoopbackHub, api: HfApi, card: str, licence: str, bases: tuple[str, ...]
) -> None:
    upload(api, README_dot_md=f"---\n{card}\n---\n")
    facts = examine(hub).facts
    assert facts
    assert (facts.licence, facts.base_models) == (licence, bases)


def test_parameters_are_those_of_the_lightest_variant_by_its_own_bytes_a_parameter(
    hub: LoopbackHub, api: HfApi
) -> None:
    upload(api, unet__model_dot_fp16_dot_safetensors=tensor_file(dtype="F16"))
    examined = examine(hub)
    assert examined.facts
    # The file in single precision has twice the bytes and no more parameters.
    assert [f.parameters for f in examined.facts.weight_files] == [4, None]
    assert examined.facts.main_parameters == 4


@pytest.mark.parametrize(
    "header",
    [
        b"no tensors here",
        b"[" * 5000,
        b'{"w": 3}',
        b'{"w": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 16]}}',
        b'{"w": {"dtype": "F32", "shape": [1e300, 1e300], "data_offsets": [0, 16]}}',
        b'{"w": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]}}',
    ],
)
def test_a_header_that_cannot_be_counted_leaves_the_count_to_the_bytes(
    hub: LoopbackHub, api: HfApi, header: bytes
) -> None:
    content = struct.pack("<Q", len(header)) + header
    upload(api, unet__model_dot_safetensors=content)
    examined = examine(hub)
    assert examined.facts
    assert examined.facts.trouble is Trouble.NONE
    assert examined.facts.main_parameters == len(content) // 2


def test_an_earlier_commit_is_judged_by_its_own_files(hub: LoopbackHub, api: HfApi) -> None:
    first = upload(api)
    upload(api, config_dot_json=json.dumps({"auto_map": {"AutoModel": "evil.Model"}}))
    assert not refused(examine(hub, text=f"{MODEL}@{first}"))
    assert refused(examine(hub)) == {Code.REMOTE_CODE_REQUIRED}
    assert refused(examine(hub, text=f"{MODEL}@nowhere")) == {Code.REVISION_NOT_FOUND}


def test_settings_stay_behind_the_commit(hub: LoopbackHub, api: HfApi) -> None:
    commit = upload(api)
    assert examine(hub, text=f"{MODEL}?steps=20").text == f"diffusers:{MODEL}@{commit}?steps=20"


def test_private_gated_disabled_and_missing_models_are_told_apart(
    hub: LoopbackHub, api: HfApi
) -> None:
    upload(api)
    reader = hub.add_account("reader-token", "reader", rights={"*": "read"})
    stranger = hub.add_account("stranger-token", "stranger", rights={})
    repo = hub.repo("models", MODEL)
    repo.gated = "manual"
    assert refused(examine(hub, reader)) == {Code.GATED_NO_ACCESS}
    assert Code.GATED in {finding.code for finding in examine(hub).findings}
    assert not refused(examine(hub))
    repo.gated, repo.private = False, True
    assert refused(examine(hub, stranger)) == {Code.MODEL_NOT_FOUND}
    assert Code.PRIVATE in {finding.code for finding in examine(hub).findings}
    repo.private, repo.disabled = False, True
    assert refused(examine(hub)) == {Code.MODEL_DISABLED}
    assert refused(examine(hub, text="acme/nothing")) == {Code.MODEL_NOT_FOUND}


def test_a_hub_that_cannot_be_reached_is_no_missing_model() -> None:
    facts = hub_facts(MODEL, endpoint="http://127.0.0.1:9", token="x")
    assert facts.trouble is Trouble.UNREACHABLE
    assert "127.0.0.1:9" in facts.trouble_detail


def test_the_same_weights_under_two_names_have_one_fingerprint(
    hub: LoopbackHub, api: HfApi
) -> None:
    upload(api)
    upload(api, "thief/new", unet__renamed_dot_safetensors=tensor_file())
    api.delete_file("unet/model.safetensors", "thief/new")
    upload(api, "ada/tuned", unet__model_dot_safetensors=tensor_file(fill=7))
    mine, stolen, tuned = (
        hub_facts(name, token=hub.token, endpoint=hub.endpoint).fingerprints
        for name in (MODEL, "thief/new", "ada/tuned")
    )
    assert mine == stolen != tuned


def test_a_repository_of_pickles_is_refused(hub: LoopbackHub, api: HfApi) -> None:
    upload(api, unet__model_dot_bin=b"\x80\x04.")
    api.delete_file("unet/model.safetensors", MODEL)
    assert refused(examine(hub)) == {Code.NO_SAFETENSORS}


def test_the_shells_account_is_that_of_its_token(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", hub.token)
    found = account_of_shell(endpoint=hub.endpoint)
    assert found == Account("tester", SignedInBy.TOKEN)
