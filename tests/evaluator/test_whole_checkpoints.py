"""A checkpoint that is not whole is refused, and not filled up with random numbers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import paint
from safetensors.torch import load_file, save_file
from tiny_captioners import save_qwen2_vl, save_sharegpt4v
from tiny_models import build
from tiny_parts import UNCHECKED, sd_parts

from evaluator.captioners import NamedPicture, find_captioner
from evaluator.decoders import Received, find_decoder
from evaluator.loading import running
from protocol.errors import ModelError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]


def copied(source: Path, folder: Path) -> Path:
    path = folder / "tiny-damaged-random-weights"
    shutil.copytree(source, path)
    return path


def weights_in(folder: Path) -> Path:
    (path,) = folder.glob("*.safetensors")
    return path


def take_one_out(folder: Path) -> None:
    path = weights_in(folder)
    tensors = load_file(path)
    # Not one that is tied to another: those may be left out.
    del tensors[max(name for name in tensors if "layer" in name or "block" in name)]
    save_file(tensors, path, metadata={"format": "pt"})


def shrink_one(folder: Path) -> None:
    path = weights_in(folder)
    tensors = load_file(path)
    name = max(name for name in tensors if "layer" in name or "block" in name)
    save_file({**tensors, name: tensors[name][1:].clone()}, path, metadata={"format": "pt"})


def cut_off(folder: Path) -> None:
    path = weights_in(folder)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_config(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps([]))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a weight is missing": take_one_out,
    "a weight is too short": shrink_one,
    "the file ends early": cut_off,
    "the configuration is a list": spoil_config,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_captioner_that_is_not_whole_is_refused(
    damage: str, models: Path, tmp_path: Path
) -> None:
    folder = copied(save_qwen2_vl(models), tmp_path)
    DAMAGES[damage](folder)
    refusal = load(find_captioner, f"transformers:{folder}")
    assert refusal.startswith("transformers cannot load tiny-damaged-random-weights")
    if damage == "a weight is missing":
        assert "Qwen2VLForConditionalGeneration lack 1 of its weights, such as" in refusal
    if damage == "a weight is too short":
        assert "of Qwen2VLForConditionalGeneration is (31,) in its files, wanted (32,)" in refusal


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder", "text_encoder_2"])
def test_a_pipeline_of_which_a_part_is_not_whole_is_refused(
    damage: str, part: str, models: Path, tmp_path: Path
) -> None:
    folder = copied(build(models, "flux"), tmp_path)
    DAMAGES[damage](folder / part)
    refusal = load(find_decoder, f"diffusers:{folder}")
    assert refusal.startswith("diffusers cannot load tiny-damaged-random-weights")
    if damage == "a weight is missing":
        assert "lack 1 of its weights, such as" in refusal


@pytest.mark.parametrize("tokenizer", ["tokenizer", "tokenizer_2"])
def test_a_pipeline_without_a_vocabulary_is_refused(
    tokenizer: str, models: Path, tmp_path: Path
) -> None:
    folder = copied(build(models, "flux"), tmp_path)
    (folder / tokenizer / "tokenizer.json").unlink()
    assert f"the files of {tokenizer} hold no vocabulary" in load(
        find_decoder, f"diffusers:{folder}"
    )


def test_a_pipeline_that_fails_when_it_runs_is_refused_with_its_own_words(tmp_path: Path) -> None:
    from diffusers import StableDiffusionInpaintPipeline

    folder = tmp_path / "tiny-inpainting-random-weights"
    # Nine channels: two more pictures than a text-to-image model is given.
    StableDiffusionInpaintPipeline(
        **sd_parts(in_channels=9),
        **UNCHECKED,
    ).save_pretrained(folder)
    system = pin_system(f"diffusers:{folder}?steps=2")
    decoder = find_decoder("diffusers").load(system, DEMO, "cpu")
    item = Received(mode=Mode.TEXT, width=64, height=48, caption="a", start=None, seed=1)
    with pytest.raises(ModelError, match="StableDiffusionPipeline cannot run: The size of tensor"):
        decoder.decode([item])


def test_memory_that_is_short_is_not_the_models_fault() -> None:
    for error in (MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")):
        with pytest.raises(type(error)), running(object()):
            raise error


def test_a_shard_of_sharegpt4v_that_ends_early_is_refused(models: Path, tmp_path: Path) -> None:
    folder = copied(save_sharegpt4v(models), tmp_path)
    shard = folder / "model-2-of-2.safetensors"
    shard.write_bytes(shard.read_bytes()[:5000])
    refusal = load(find_captioner, f"sharegpt4v:{folder}")
    assert refusal.startswith("transformers cannot load tiny-damaged-random-weights")


def test_a_captioner_with_an_adapter_beside_it_is_to_be_merged(
    models: Path, tmp_path: Path
) -> None:
    folder = copied(save_qwen2_vl(models), tmp_path)
    lora = {"peft_type": "LORA", "base_model_name_or_path": "acme/base"}
    (folder / "adapter_config.json").write_text(json.dumps(lora))
    refusal = load(find_captioner, f"transformers:{folder}")
    assert "merge it with peft's merge_and_unload() and save the whole model" in refusal


def test_a_pipeline_that_wants_a_control_picture_is_refused(models: Path, tmp_path: Path) -> None:
    from diffusers import (
        ControlNetModel,
        StableDiffusionControlNetPipeline,
        StableDiffusionPipeline,
    )

    base = StableDiffusionPipeline.from_pretrained(build(models, "sd-passing"))
    control = ControlNetModel.from_unet(base.unet)
    folder = tmp_path / "tiny-controlled-random-weights"
    StableDiffusionControlNetPipeline(**base.components, controlnet=control).save_pretrained(folder)
    refusal = load(find_decoder, f"diffusers:{folder}")
    assert "paints after a control picture, and no file holds one" in refusal


def load(find: Callable[[str], Any], text: str) -> str:
    """Return why a system is not loaded."""
    system = pin_system(text)
    with pytest.raises(ModelError) as refused:
        find(system.adapter).load(system, DEMO, "cpu")
    return str(refused.value)


def test_a_captioner_with_the_fp16_files_alone_is_loaded_from_them(
    models: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "tiny-half-random-weights"
    shutil.copytree(save_qwen2_vl(models), folder)
    (folder / "model.safetensors").rename(folder / "model.fp16.safetensors")
    wanted, found = (
        find_captioner("transformers")
        .load(pin_system(f"transformers:{path}?prompt=q5"), DEMO, "cpu")
        .caption([NamedPicture("a.png", paint(96, 64))])
        for path in (save_qwen2_vl(models), folder)
    )
    assert found == wanted
