import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluator.demo import models
from evaluator.demo.models import I2T_NAME, T2I_NAME, build_i2t, build_t2i
from protocol.rules import CAPTION_PROMPTS

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    build_t2i(folder)
    build_i2t(folder)
    return folder


@pytest.fixture(scope="module")
def text_to_image(folder: Path) -> Any:
    from diffusers import AutoPipelineForText2Image

    pipeline = AutoPipelineForText2Image.from_pretrained(folder / T2I_NAME, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def picture(shade: int) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((128, 128))
    return Image.merge("RGB", (ramp, ramp.rotate(90), Image.new("L", ramp.size, shade)))


def paint(pipeline: Any, prompt: str, **options: Any) -> Any:
    seeded = torch.Generator().manual_seed(0)
    return pipeline(
        prompt, num_inference_steps=4, generator=seeded, output_type="np", **options
    ).images[0]


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_building_again_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    build_t2i(tmp_path)
    build_i2t(tmp_path)
    assert hashes(tmp_path) == hashes(folder)


def test_building_leaves_the_callers_random_numbers_alone(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    build_t2i(tmp_path)
    build_i2t(tmp_path)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_finished_checkpoint_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / I2T_NAME).mkdir()
    assert build_i2t(tmp_path) == tmp_path / I2T_NAME
    assert list((tmp_path / I2T_NAME).iterdir()) == []


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        (path / "half.safetensors").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(models, "_save_t2i", fail)
    with pytest.raises(OSError, match="disk full"):
        build_t2i(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_weights_are_safetensors_and_small(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".safetensors", ".json", ".md", ".jinja"}
    assert sum(path.stat().st_size for path in files) < 30_000_000


def test_cards_say_that_the_weights_are_random(folder: Path) -> None:
    for name in (T2I_NAME, I2T_NAME):
        card = (folder / name / "README.md").read_text(encoding="utf-8")
        assert "Random weights, for trying the pipeline" in card
        assert "license: apache-2.0" in card


def test_text_paints_a_picture_that_depends_on_it(text_to_image: Any) -> None:
    one, two = (paint(text_to_image, text, width=136, height=120) for text in ("a cat", "a boat"))
    assert one.shape == (120, 136, 3)
    assert np.isfinite(one).all()
    assert one.std() > 0.05
    assert abs(one - two).mean() > 0.01


def test_start_picture_shows_in_the_result(text_to_image: Any) -> None:
    from diffusers import AutoPipelineForImage2Image

    pipeline = AutoPipelineForImage2Image.from_pipe(text_to_image)
    pipeline.set_progress_bar_config(disable=True)
    one, two = (paint(pipeline, "a cat", image=picture(s), strength=0.5) for s in (0, 255))
    assert np.isfinite(one).all()
    assert abs(one - two).mean() > 0.01


def test_prompts_of_twenty_words_fit_the_text_encoder(text_to_image: Any) -> None:
    unseen = "Quick grandfather clocks chime while seven lazy dogs chase frozen yoghurt vans past "
    pieces = text_to_image.tokenizer(unseen + "Zürich's old harbour cranes at dawn").input_ids
    assert len(pieces) <= 77


def test_captions_are_words_and_differ_between_pictures(folder: Path) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    path = folder / I2T_NAME
    processor = AutoProcessor.from_pretrained(path)
    model = AutoModelForImageTextToText.from_pretrained(path, use_safetensors=True)
    captions = set()
    for shade in (0, 255):
        part = {"type": "image", "image": picture(shade)}
        prompt = {"type": "text", "text": CAPTION_PROMPTS[20]}
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": [part, prompt]}],
            tokenize=True,
            return_dict=True,
            add_generation_prompt=True,
            return_tensors="pt",
        )
        answer = model.generate(**inputs, do_sample=False, max_new_tokens=20)
        new = answer[0, inputs["input_ids"].shape[1] :]
        captions.add(processor.decode(new, skip_special_tokens=True))
    assert len(captions) == 2
    assert all(word.isalpha() for caption in captions for word in caption.split())
    assert all(len(caption.split()) > 4 for caption in captions)
