"""What of a model's answer is the caption: not the question, and not what it thought before."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import paint
from tiny_captioners import save_qwen2_vl
from tiny_plain_models import save_blip, save_git, save_pix2struct, save_vit_gpt2

from evaluator.captioners import Caption, NamedPicture, find_captioner
from evaluator.captioners._asking import Asking
from evaluator.captioners._generate import ModelCaptioner
from evaluator.captioners.transformers import _load_parts, half_of
from protocol.errors import CaptionError, ModelError
from protocol.prompts import find_prompt
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
ASKING = Asking(prompt=find_prompt("q5"), max_new_tokens=20, cut_to=None)
PICTURES = [NamedPicture(f"{n}.png", paint(56, 56, seed=n)) for n in range(2)]


@pytest.mark.parametrize("save", [save_blip, save_git, save_pix2struct])
def test_without_a_question_a_model_says_what_it_says_by_its_librarys_own_call(
    save: Any, models: Path
) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    folder = save(models)
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder)
    system = pin_system(f"transformers:{folder}?prompt=none&max_new_tokens=20")
    captioner = find_captioner("transformers").load(system, DEMO, "cpu")
    for item in PICTURES:
        shown = processor(images=item.picture, return_tensors="pt")
        said = model.generate(**shown, do_sample=False, max_new_tokens=20)
        (caption,) = captioner.caption([item])
        assert caption.text == processor.decode(said[0], skip_special_tokens=True).strip()


def test_pix2struct_says_after_a_question_what_it_says_by_its_librarys_own_call(
    models: Path,
) -> None:
    from transformers import AutoProcessor, Pix2StructForConditionalGeneration

    folder = save_pix2struct(models)
    processor = AutoProcessor.from_pretrained(folder)
    model = Pix2StructForConditionalGeneration.from_pretrained(folder)
    system = pin_system(f"transformers:{folder}?prompt=q5&max_new_tokens=12")
    question = find_prompt("q5").text
    captions = find_captioner("transformers").load(system, DEMO, "cpu").caption(PICTURES)
    for item, caption in zip(PICTURES, captions, strict=True):
        shown = processor(
            images=item.picture, text=question, add_special_tokens=False, return_tensors="pt"
        )
        said = model.generate(**shown, do_sample=False, max_new_tokens=12)
        whole = processor.decode(said[0], skip_special_tokens=True)
        asked = processor.tokenizer.decode(processor.tokenizer(question).input_ids[1:-1])
        assert whole.strip() == f"{asked} {caption.text}"
        assert caption.tokens == 12


def test_two_halves_without_a_processor_of_their_own_caption_and_are_asked_nothing(
    models: Path,
) -> None:
    from transformers import AutoTokenizer, VisionEncoderDecoderModel, ViTImageProcessor

    folder = save_vit_gpt2(models)
    model = VisionEncoderDecoderModel.from_pretrained(folder)
    shown = ViTImageProcessor.from_pretrained(folder)([p.picture for p in PICTURES])
    said = model.generate(shown.convert_to_tensors("pt").pixel_values, max_new_tokens=12)
    wanted = AutoTokenizer.from_pretrained(folder).batch_decode(said, skip_special_tokens=True)
    system = pin_system(f"transformers:{folder}?prompt=none&max_new_tokens=12")
    captions = find_captioner("transformers").load(system, DEMO, "cpu").caption(PICTURES)
    assert [caption.text for caption in captions] == wanted
    asked = find_captioner("transformers").load(pin_system(f"transformers:{folder}"), DEMO, "cpu")
    with pytest.raises(ModelError, match="set prompt=none"):
        asked.caption(PICTURES)


def test_the_half_precision_of_a_captioner_is_its_checkpoints() -> None:
    import torch

    assert half_of(torch.bfloat16) is torch.bfloat16
    assert half_of(torch.float16) is half_of(torch.float32) is half_of(None) is torch.float16


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_precision_of_a_captioner_can_be_set(dtype: str, models: Path) -> None:
    system = pin_system(f"transformers:{save_git(models)}?dtype={dtype}")
    captioner: Any = find_captioner("transformers").load(system, DEMO, "cpu")
    assert str(captioner._model.dtype) == f"torch.{dtype}"
    assert captioner.caption(PICTURES)[0].text


def test_a_processor_that_has_lost_its_chat_template_is_told_from_one_that_needs_none(
    models: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "tiny-mute-random-weights"
    shutil.copytree(save_qwen2_vl(models), folder)
    (folder / "chat_template.jinja").unlink()
    system = pin_system(f"transformers:{folder}")
    captioner = find_captioner("transformers").load(system, DEMO, "cpu")
    with pytest.raises(ModelError, match="has no chat template and takes no picture"):
        captioner.caption(PICTURES)


class Scripted:
    """Stands for a model: repeats what it is asked, and answers with given words."""

    def __init__(self, model: Any, answer: list[int]) -> None:
        self.config, self.device, self.dtype = model.config, model.device, model.dtype
        self._answer = answer
        self.asked: list[int] = []

    def generate(self, input_ids: Any, **_: Any) -> Any:
        import torch

        self.asked = input_ids[0].tolist()
        answers = torch.tensor([self._answer] * len(input_ids))
        return torch.cat([input_ids, answers], dim=1)


def say(models: Path, answer: str, marks: tuple[str, ...], ends_with: str = "") -> Caption:
    """Return the caption that is made of an answer, by a tokenizer to which marks are tokens."""
    system = pin_system(f"transformers:{save_qwen2_vl(models)}")
    processor, model = _load_parts(system, "cpu")
    processor.tokenizer.add_tokens(list(marks), special_tokens=marks[:1] == ("<|channel>",))
    processor.chat_template += ends_with
    said = processor.tokenizer(answer).input_ids
    captioner = ModelCaptioner(processor, Scripted(model, said), ASKING, whole=False)
    (caption,) = captioner.caption(PICTURES[:1])
    return caption


def test_an_answer_without_an_end_in_its_room_is_called_cut(models: Path) -> None:
    assert not say(models, "clouds above the sun", ()).is_cut
    endless = " ".join(["sun"] * ASKING.max_new_tokens)
    assert say(models, endless, ()).is_cut
    assert not say(models, f"{endless.removesuffix('sun')}</s>", ()).is_cut


MARKS = {"qwen": ("<think>", "</think>"), "gemma": ("<|channel>", "<channel|>")}


@pytest.mark.parametrize("kind", MARKS)
def test_a_caption_is_what_comes_after_the_thinking(kind: str, models: Path) -> None:
    opening, closing = MARKS[kind]
    caption = say(models, f"{opening} mountains {closing} clouds above the sun", MARKS[kind])
    assert caption.text == "clouds above the sun"
    # A template that begins the thinking itself leaves the opening mark out of the answer.
    caption = say(models, f"mountains {closing} the sun", MARKS[kind], f"{opening} ")
    assert caption.text == "the sun"


@pytest.mark.parametrize("kind", MARKS)
def test_thinking_that_comes_to_no_end_is_no_caption(kind: str, models: Path) -> None:
    opening, _ = MARKS[kind]
    with pytest.raises(CaptionError, match="still thinking when its room was used up"):
        say(models, f"{opening} mountains above", MARKS[kind])


@pytest.mark.parametrize("kind", MARKS)
def test_thinking_that_the_template_began_and_the_model_did_not_end_is_no_caption(
    kind: str, models: Path
) -> None:
    with pytest.raises(CaptionError, match="max_new_tokens=2000"):
        say(models, "mountains above", MARKS[kind], MARKS[kind][0])


def test_a_template_that_can_leave_thinking_out_does(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tiny-hybrid-random-weights"
    shutil.copytree(save_qwen2_vl(models), folder)
    template = folder / "chat_template.jinja"
    template.write_text(
        template.read_text()
        + "{% if enable_thinking is not defined or enable_thinking %}mountains{% endif %}"
        + "{% if thinking is not defined or thinking %}mountains{% endif %}"
    )
    processor, model = _load_parts(pin_system(f"transformers:{folder}"), "cpu")
    scripted = Scripted(model, processor.tokenizer("the sun").input_ids)
    ModelCaptioner(processor, scripted, ASKING, whole=False).caption(PICTURES[:1])
    assert "mountains" not in processor.tokenizer.decode(scripted.asked)
