"""I2T models of several families, how they are asked, and how captions are kept in batches."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import paint
from PIL import Image
from tiny_captioners import (
    make_llava,
    original_names,
    save_blip2,
    save_instructblip,
    save_qwen2_vl,
    save_sharegpt4v,
)
from tiny_chat_models import (
    save_gemma3,
    save_internvl,
    save_qwen3_vl,
    save_qwen25_vl,
    save_smolvlm,
)
from tiny_plain_models import save_blip, save_florence2, save_git, save_paligemma

from evaluator.bench import Bench
from evaluator.captioners import Caption, Captioner, NamedPicture, find_captioner
from evaluator.captioners import transformers as adapter
from evaluator.captioners._asking import read_asking
from evaluator.captioners._generate import ModelCaptioner, pad_to_square
from evaluator.captioners.sharegpt4v import build, read_weights
from evaluator.requests import make_request
from evaluator.run import evaluate
from protocol.errors import ModelError
from protocol.prompts import find_prompt
from protocol.records import Request
from protocol.rules import Mode, Role
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
SIZES = ((96, 64), (64, 80), (50, 50), (40, 200))
PICTURES = [NamedPicture(f"{n}.png", paint(*size, seed=n)) for n, size in enumerate(SIZES)]
ROOM = "&max_new_tokens=20"
FAMILIES: dict[str, Callable[[Path], str]] = {
    "llava": lambda models: f"transformers:{models / 'tiny-llava-random-weights'}?prompt=q5",
    "instructblip": lambda models: f"transformers:{save_instructblip(models)}?prompt=q5",
    "instructblip without a prompt": lambda models: (
        f"transformers:{save_instructblip(models)}?prompt=none&max_new_tokens=20"
    ),
    "blip2": lambda models: f"transformers:{save_blip2(models)}?prompt=q5",
    "blip2 without a prompt": lambda models: (
        f"transformers:{save_blip2(models)}?prompt=none&max_new_tokens=20"
    ),
    "qwen2-vl": lambda models: f"transformers:{save_qwen2_vl(models)}?prompt=q5",
    "qwen2.5-vl": lambda models: f"transformers:{save_qwen25_vl(models)}?prompt=q5",
    "qwen3-vl": lambda models: f"transformers:{save_qwen3_vl(models)}?prompt=q5",
    "internvl": lambda models: f"transformers:{save_internvl(models)}?prompt=q5",
    "gemma3": lambda models: f"transformers:{save_gemma3(models)}?prompt=q5",
    "smolvlm": lambda models: f"transformers:{save_smolvlm(models)}?prompt=q5",
    "blip": lambda models: f"transformers:{save_blip(models)}?prompt=q5",
    "git": lambda models: f"transformers:{save_git(models)}?prompt=none{ROOM}",
    "florence-2": lambda models: f"transformers:{save_florence2(models)}?prompt=florence-2{ROOM}",
    "paligemma": lambda models: f"transformers:{save_paligemma(models)}?prompt=paligemma{ROOM}",
    "sharegpt4v": lambda models: f"sharegpt4v:{save_sharegpt4v(models)}?prompt=q5",
}


def load(text: str) -> Captioner:
    system = pin_system(text)
    return find_captioner(system.adapter).load(system, DEMO, "cpu")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_captions_a_batch_as_it_captions_each_picture(family: str, models: Path) -> None:
    captioner = load(FAMILIES[family](models))
    captions = captioner.caption(PICTURES)
    assert captions == [captioner.caption([item])[0] for item in PICTURES]
    assert len({caption.text for caption in captions}) > 1
    for caption in captions:
        assert caption.text
        # One word is one token here; a mark for the end is no part of the caption.
        assert caption.tokens is not None
        assert len(caption.text.split()) == caption.tokens <= 20


def test_the_question_is_no_part_of_the_answer(models: Path) -> None:
    question = set(find_prompt("q5").text.split())
    for family in ("llava", "blip", "blip2", "qwen2-vl"):
        (caption,) = load(FAMILIES[family](models)).caption(PICTURES[:1])
        assert not caption.text.startswith("Generate an")
        assert set(caption.text.split()) != question


def test_a_caption_is_cut_to_its_words_only_when_asked(models: Path) -> None:
    whole = load(f"transformers:{models / 'tiny-llava-random-weights'}?prompt=q5")
    cut = load(f"transformers:{models / 'tiny-llava-random-weights'}?prompt=q5&cut=words")
    for long, short in zip(whole.caption(PICTURES), cut.caption(PICTURES), strict=True):
        assert short.text.split() == long.text.split()[:5]
        assert short.is_cut == (long.is_cut or len(long.text.split()) > 5)
        assert short.tokens == long.tokens


def test_room_for_an_answer_follows_the_words_asked_for_unless_it_is_set() -> None:
    def asked(**changes: Any) -> int:
        settings = {"prompt": "", "max_new_tokens": 0, "cut": "no", **changes}
        return read_asking(settings, DEMO).max_new_tokens

    assert [asked(), asked(prompt="s50"), asked(prompt="none")] == [80, 200, 80]
    assert asked(prompt="q5", max_new_tokens=7) == 7


class Looking(ModelCaptioner):
    """Keeps what the model would see."""

    def seen(self, picture: Image.Image) -> Any:
        return self._inputs([self._shown(picture)])["pixel_values"]


def test_padding_shows_what_llavas_own_padding_shows() -> None:
    from transformers import CLIPImageProcessor, LlavaImageProcessor

    size = {"size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56}}
    theirs = LlavaImageProcessor(do_pad=True, do_center_crop=False, **size)
    ours = CLIPImageProcessor(**size)
    for item in PICTURES:
        colour = tuple(int(value * 255) for value in ours.image_mean)
        padded = pad_to_square(item.picture, (colour[0], colour[1], colour[2]))
        one = ours(padded, return_tensors="pt")["pixel_values"]
        other = theirs(item.picture, return_tensors="pt")["pixel_values"]
        assert one.shape == other.shape == (1, 3, 56, 56)
        assert np.allclose(one, other, atol=0.02)


def test_a_model_that_crops_sees_the_sides_unless_told_not_to(models: Path) -> None:
    left, right = Image.new("RGB", (300, 60), "white"), Image.new("RGB", (300, 60), "white")
    left.paste((200, 0, 0), (0, 0, 40, 60))
    text = f"transformers:{models / 'tiny-llava-random-weights'}"
    system = pin_system(text)
    processor, model = adapter._load_parts(system, "cpu")
    asking = read_asking({"prompt": "q5", "max_new_tokens": 0, "cut": "no"}, DEMO)
    whole = Looking(processor, model, asking, whole=True)
    cropped = Looking(processor, model, asking, whole=False)
    assert not np.allclose(whole.seen(left), whole.seen(right))
    assert np.allclose(cropped.seen(left), cropped.seen(right))
    with pytest.raises(ModelError, match="wanted true or false"):
        load(f"{text}?whole=maybe")


def test_sharegpt4v_under_new_names_has_the_logits_of_the_same_llava(models: Path) -> None:
    import torch

    processor, model = build(save_sharegpt4v(models), torch.float32)
    original = make_llava()
    conversation = [
        {
            "role": "user",
            "content": [
                {"type": "image", "image": paint(56, 56)},
                {"type": "text", "text": "a cat"},
            ],
        }
    ]
    inputs = processor.apply_chat_template(
        [conversation],
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        add_generation_prompt=True,
    )
    with torch.inference_mode():
        one, other = model.eval()(**inputs).logits, original(**inputs).logits
    assert one.std() > 0
    assert torch.equal(one, other)


def test_sharegpt4v_without_an_image_token_gets_one_that_is_never_said(
    models: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "tiny-short-random-weights"
    folder.mkdir()
    source = save_sharegpt4v(models)
    facts = json.loads((source / "config.json").read_text())
    words = facts["vocab_size"] - 1
    # The last word goes, so that the token that is added takes its number.
    (folder / "config.json").write_text(json.dumps({**facts, "vocab_size": words}))
    tokens = json.loads((source / "tokenizer.json").read_text())
    vocabulary = tokens["model"]["vocab"]
    last = max(vocabulary, key=lambda word: vocabulary[word])
    vocabulary["<picture>"] = vocabulary.pop("<image>")
    del vocabulary[last]
    tokens["added_tokens"] = [t for t in tokens["added_tokens"] if t["content"] != "<image>"]
    (folder / "tokenizer.json").write_text(json.dumps(tokens))
    rules = json.loads((source / "tokenizer_config.json").read_text())
    for name in ("image_token", "extra_special_tokens", "model_specific_special_tokens"):
        rules.pop(name, None)
    (folder / "tokenizer_config.json").write_text(json.dumps(rules))
    for path in source.glob("*.safetensors"):
        tensors = load_file(path)
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            if name in tensors:
                tensors[name] = tensors[name][:words].clone()
        save_file(tensors, folder / path.name)
    processor, model = build(folder, torch.float32)
    assert processor.image_token_id == model.config.image_token_index == words
    assert model.get_output_embeddings().weight.shape[0] == words + 1
    assert model.generation_config.suppress_tokens == [words]
    (caption,) = load(f"sharegpt4v:{folder}?prompt=q5").caption(PICTURES[:1])
    assert caption.text


def test_sharegpt4vs_pytorch_files_are_read_as_tensors_only(tmp_path: Path) -> None:
    import torch

    weights = original_names(make_llava().state_dict())
    torch.save(weights, tmp_path / "pytorch_model-00001-of-00001.bin")
    assert read_weights(tmp_path).keys() == weights.keys()
    torch.save({"weights": tmp_path}, tmp_path / "pytorch_model-00001-of-00001.bin")
    with pytest.raises(ModelError, match="holds more than tensors and is not opened"):
        read_weights(tmp_path)
    (tmp_path / "pytorch_model-00001-of-00001.bin").unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        read_weights(tmp_path)


def test_sharegpt4v_without_its_tower_says_so(models: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    source, folder = save_sharegpt4v(models), tmp_path / "tiny-blind-random-weights"
    folder.mkdir()
    for path in source.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    weights = {n: t for n, t in read_weights(source).items() if "mm_projector" not in n}
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"lack 4 of its weights, such as model\.multi_modal_proj"):
        load(f"sharegpt4v:{folder}")
    save_file({n: t for n, t in weights.items() if "tower" not in n}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="holds no vision tower; where it lies"):
        load(f"sharegpt4v:{folder}")


def test_captions_are_made_in_batches_kept_as_they_come_and_not_made_again(
    i2t: str, images: Path, make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    original = ModelCaptioner.caption

    def counted(self: ModelCaptioner, batch: list[NamedPicture]) -> list[Caption]:
        sizes.append(len(batch))
        if len(sizes) == 2:
            raise KeyboardInterrupt
        return original(self, batch)

    monkeypatch.setattr(ModelCaptioner, "caption", counted)
    request = _request(i2t, images)
    with pytest.raises(KeyboardInterrupt):
        evaluate(request, make_bench(batch_size=2))
    evaluation = evaluate(request, make_bench(batch_size=2))
    assert sizes == [1, 2, 2]
    rows = pq.read_table(io.BytesIO(evaluation.per_image)).to_pylist()
    assert all(row["caption_tokens"] == len(row["caption"].split()) for row in rows)
    alone = evaluate(request, make_bench("alone", batch_size=1))
    assert sizes == [1, 2, 2, 1, 1, 1]
    assert [d.encoded.caption for d in alone.decoded] == [
        d.encoded.caption for d in evaluation.decoded
    ]


def test_another_prompt_is_another_caption_in_the_cache(
    i2t: str, images: Path, make_bench: Callable[..., Bench]
) -> None:
    bench = make_bench()
    one = evaluate(_request(f"{i2t}?prompt=q5", images), bench)
    other = evaluate(_request(f"{i2t}?prompt=s50", images), bench)
    captions = [{d.encoded.caption for d in run.decoded} for run in (one, other)]
    assert captions[0] != captions[1]
    assert len(list((bench.cache.folder / "caption").rglob("*.json"))) == 6


def _request(i2t: str, images: Path) -> Request:
    return make_request(
        role=Role.I2T,
        i2t=i2t,
        t2i="start-image",
        codec=None,
        modes=(Mode.PIXEL,),
        protocol="demo-0",
        images=images,
        dataset="three",
        submitter="tests",
    )
