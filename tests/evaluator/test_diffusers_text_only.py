"""Pipelines of diffusers that are served each in their own way, most of them by words alone."""

from pathlib import Path

import numpy as np
import pytest
from conftest import paint
from made_received import LONG, SHORT, received, values
from tiny_models import build

from evaluator.decoders import Decoder, Received, find_decoder
from evaluator.decoders._pipelines import size_unit
from evaluator.decoders._plan import plan_of
from evaluator.decoders.diffusers import SETTINGS, _check_options
from protocol.errors import ModelError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]


def load(model: Path, settings: str) -> Decoder:
    return find_decoder("diffusers").load(pin_system(f"diffusers:{model}?{settings}"), DEMO, "cpu")


def test_a_picture_of_cogview4_does_not_depend_on_the_captions_beside_its_own(models: Path) -> None:
    decoder = load(build(models, "cogview4"), "steps=2")
    items = [received(Mode.TEXT, 1, SHORT), received(Mode.TEXT, 2, f"{SHORT} beside a lake")]
    for item, beside_another in zip(items, decoder.decode(items), strict=True):
        assert np.array_equal(values(decoder.decode([item])[0]), values(beside_another))


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


@pytest.mark.parametrize(
    ("family", "size"),
    [("bria", (96, 80)), ("hunyuan-image", (104, 72)), ("sana-sprint", (96, 64))],
)
def test_a_pipeline_that_diffusers_does_not_choose_by_itself_paints_as_the_others(
    family: str, size: tuple[int, int], models: Path
) -> None:
    decoder = load(build(models, family), "steps=3")
    # HunyuanImage reads what stands in quotation marks by a text encoder of its own.
    captions = (SHORT, f'{LONG} called "Lake Inn"', SHORT)
    items = [received(Mode.TEXT, seed, caption) for seed, caption in enumerate(captions)]
    together = np.stack([values(outcome) for outcome in decoder.decode(items)])
    alone = np.stack([values(decoder.decode([item])[0]) for item in items])
    assert np.abs(together - alone).max() <= 1
    assert together.shape == (3, 75, 101, 3)
    assert np.abs(together[0] - together[2]).max() > 1
    assert np.any(values(decoder.decode([received(Mode.TEXT, 0, LONG)])[0]) != together[0])
    account = decoder.account(items[0])
    assert (account.width, account.height) == size


def test_sana_sprint_starts_at_the_noise_of_its_angle_and_from_the_picture_that_was_sent(
    models: Path,
) -> None:
    decoder = load(build(models, "sana-sprint"), "steps=4&strength=0.5")
    one, other = (
        Received(mode=Mode.PIXEL, width=64, height=64, caption="", start=paint(64, 64, n), seed=1)
        for n in (1, 2)
    )
    first, second = (values(decoder.decode([item])[0]) for item in (one, other))
    assert np.abs(first - second).max() > 1
    # Half of the quarter circle that its noise comes from; cosine and sine are equal there.
    assert decoder.account(one).start_sigma == pytest.approx(1, rel=1e-4)


def test_a_pipeline_that_makes_films_is_refused() -> None:
    class Films:
        def __call__(self, prompt: str, num_frames: int) -> None:
            raise NotImplementedError

    system = System(adapter="diffusers", model="a/b", revision="", path="", settings={})
    with pytest.raises(ModelError, match="Films makes films, and no pictures"):
        _check_options(Films(), plan_of(SETTINGS, DEMO), system)


def test_a_pipeline_that_is_not_served_is_named(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "HiDreamImagePipeline"}')
    system = System(
        adapter="diffusers", model="dream", revision="", path=str(tmp_path), settings={}
    )
    with pytest.raises(ModelError, match="dream is a HiDreamImagePipeline, which is none of"):
        find_decoder("diffusers").load(system, DEMO, "cpu")


def test_a_checkpoint_in_one_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "sdxl.safetensors").write_bytes(b"weights")
    with pytest.raises(ModelError, match=r"is one file.*from_single_file\(FILE\)"):
        load(tmp_path / "sdxl.safetensors", "steps=2")
