"""Pipelines of diffusers that paint from words alone, each in its own way."""

from pathlib import Path

import pytest
from PIL import Image
from tiny_models import build

from evaluator.decoders import Received, find_decoder
from evaluator.decoders._pipelines import size_unit
from evaluator.decoders._plan import plan_of
from evaluator.decoders.diffusers import SETTINGS, _check_options
from protocol.errors import ModelError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]


def received(caption: str, seed: int) -> Received:
    return Received(mode=Mode.TEXT, width=101, height=75, caption=caption, start=None, seed=seed)


def test_a_picture_of_cogview4_does_not_depend_on_the_captions_beside_its_own(models: Path) -> None:
    system = pin_system(f"diffusers:{build(models, 'cogview4')}?steps=2")
    decoder = find_decoder("diffusers").load(system, DEMO, "cpu")
    items = [received("a blue house", 1), received("a blue house beside a lake and trees", 2)]
    for item, beside_another in zip(items, decoder.decode(items), strict=True):
        (alone,) = decoder.decode([item])
        assert isinstance(alone, Image.Image)
        assert isinstance(beside_another, Image.Image)
        assert alone.tobytes() == beside_another.tobytes()


def test_a_model_that_takes_its_patches_in_pairs_paints_at_multiples_of_two() -> None:
    from diffusers import GlmImagePipeline, GlmImageTransformer2DModel

    transformer = GlmImageTransformer2DModel(
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        text_embed_dim=32,
        time_embed_dim=16,
        condition_dim=8,
        prior_vq_quantizer_codebook_size=16,
    )
    nothing = dict.fromkeys(("processor", "text_encoder", "vae", "scheduler"))
    glm = GlmImagePipeline(
        transformer=transformer, tokenizer=None, vision_language_encoder=None, **nothing
    )
    assert size_unit(glm) == 32
    glm.check_inputs("a house", 64, 96, None)
    with pytest.raises(ValueError, match="divisible by 32"):
        glm.check_inputs("a house", 80, 96, None)
    # The real one is not made without its text encoder's processor.
    qwen = type("QwenImage21Pipeline", (), {"vae_scale_factor": 16, "transformer": None})
    assert size_unit(qwen()) == 32


def test_a_pipeline_that_makes_films_is_refused() -> None:
    class Films:
        def __call__(self, prompt: str, num_frames: int) -> None:
            raise NotImplementedError

    system = System(adapter="diffusers", model="a/b", revision="", path="", settings={})
    with pytest.raises(ModelError, match="Films makes films, and no pictures"):
        _check_options(Films(), plan_of(SETTINGS, DEMO), system)


def test_a_pipeline_that_diffusers_does_not_choose_by_itself_is_named(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "HiDreamImagePipeline"}')
    system = System(
        adapter="diffusers", model="dream", revision="", path=str(tmp_path), settings={}
    )
    with pytest.raises(ModelError, match="dream is a HiDreamImagePipeline, which is none of"):
        find_decoder("diffusers").load(system, DEMO, "cpu")
