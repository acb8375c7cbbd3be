"""A transformers processor and model that caption pictures in batches, by greedy decoding."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from evaluator.captioners import Caption, NamedPicture
from evaluator.captioners._asking import THINKING, UNFINISHED, Asking, describe_asking
from evaluator.loading import running
from protocol.errors import CaptionError, ModelError
from protocol.versions import Protocol

if TYPE_CHECKING:
    from PIL.Image import Image


class ModelCaptioner:
    """Asks by chat where the processor has a template, else by its plain call.

    BLIP-2 and InstructBLIP are of the second kind: the picture, and the prompt if there is one.
    """

    def __init__(self, processor: Any, model: Any, asking: Asking, *, whole: bool) -> None:
        """Keep the parts; left padding makes every answer begin where its prompt ends.

        Args:
            processor: of transformers, with a tokenizer and an image processor.
            model: a model that generates, on its device.
            asking: the prompt and what becomes of the answers.
            whole: pad a picture to a square where the processor would crop it to one.
        """
        self._processor = processor
        self._model = model
        self._asking = asking
        self._padding = _padding_colour(processor.image_processor) if whole else None
        processor.tokenizer.padding_side = "left"
        known = processor.tokenizer.get_vocab()
        self._thinking = [tuple(known[m] for m in pair) for pair in THINKING if {*pair} <= {*known}]

    def caption(self, batch: Sequence[NamedPicture]) -> list[Caption]:
        """Ask the model for one caption a picture, all in one batch."""
        import torch

        pictures = [self._shown(item.picture) for item in batch]
        with torch.inference_mode(), running(self._model):
            inputs = self._inputs(pictures).to(self._model.device, self._model.dtype)
            tokens = self._model.generate(
                **inputs,
                do_sample=False,
                num_beams=1,
                max_new_tokens=self._asking.max_new_tokens,
            )
        question = inputs.get("input_ids", inputs.get("decoder_input_ids"))
        answers = _without_question(tokens, question).tolist()
        questions = [[]] * len(answers) if question is None else question.tolist()
        return [self._read(*pair) for pair in zip(questions, answers, strict=True)]

    def _read(self, question: list[int], answer: list[int]) -> Caption:
        marks = set(self._processor.tokenizer.all_special_ids)
        count = sum(token not in marks for token in answer)
        said = [*question, *answer]
        start = len(question)
        for opening, closing in self._thinking:
            ended = _last(closing, said)
            # A template may have begun it, as Qwen's do for models that always think.
            if _last(opening, said) > ended:
                raise CaptionError(UNFINISHED)
            start = max(start, ended + 1)
        text = self._processor.tokenizer.decode(said[start:], skip_special_tokens=True)
        is_whole = len(answer) < self._asking.max_new_tokens or answer[-1] in marks
        return self._asking.finish(text, count, is_whole=is_whole)

    def _inputs(self, pictures: "Sequence[Image]") -> Any:
        text = self._asking.prompt.text
        if getattr(self._processor, "chat_template", None) is None:
            return self._plain_inputs(pictures, text)
        question = [{"type": "text", "text": text}] if text else []
        return self._processor.apply_chat_template(
            [
                [{"role": "user", "content": [{"type": "image", "image": picture}, *question]}]
                for picture in pictures
            ],
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            add_generation_prompt=True,
            padding=True,
            # The names that templates have for it; one that knows neither passes over both.
            enable_thinking=False,
            thinking=False,
        )

    def _plain_inputs(self, pictures: "Sequence[Image]", text: str) -> Any:
        kind = self._model.config.model_type
        asked: dict[str, Any] = {"text": [text] * len(pictures), "padding": True}
        if kind == "pix2struct":
            # Its answer goes on from the text, which must not be ended, nor be there if empty.
            asked = {**asked, "add_special_tokens": False} if text else {}
        if kind == "vision-encoder-decoder":
            if text:
                raise ModelError(
                    f"{type(self._model).__name__} is asked nothing, it says what it sees; "
                    "set prompt=none"
                )
            return self._processor.image_processor(list(pictures), return_tensors="pt")
        try:
            inputs = self._processor(images=list(pictures), return_tensors="pt", **asked)
        except ValueError as error:
            raise ModelError(
                f"{type(self._processor).__name__} has no chat template and takes no picture "
                f"beside a plain text ({error}); save the processor "
                "with the template that the model was trained with"
            ) from error
        if kind == "git":
            # Its tokenizer ends every text, and nothing is said after the end.
            for name in ("input_ids", "attention_mask"):
                inputs[name] = inputs[name][:, :-1]
        return inputs

    def _shown(self, picture: "Image") -> "Image":
        return picture if self._padding is None else pad_to_square(picture, self._padding)


def pad_to_square(picture: "Image", colour: tuple[int, int, int]) -> "Image":
    """Return the picture in the middle of a square of one colour, as LLaVA's own code shows it."""
    from PIL import Image

    side = max(picture.size)
    square = Image.new("RGB", (side, side), colour)
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


def describe_generation(protocol: Protocol, device: str) -> Mapping[str, object]:
    """Return the question, the precision, the libraries and what is done with the picture."""
    return {
        **describe_asking(protocol),
        "decoding": "greedy",
        "thinking": "left out",
        "cropping": "whole pictures, padded to a square with the mean colour",
        "device": device.partition(":")[0],
        "libraries": {name: version(name) for name in ("torch", "transformers")},
    }


def _padding_colour(image_processor: Any) -> tuple[int, int, int] | None:
    """Return the mean colour of a processor that crops, 0 to 255 a channel; None for others."""
    if not getattr(image_processor, "do_center_crop", False):
        return None
    red, green, blue = (int(channel * 255) for channel in image_processor.image_mean)
    return red, green, blue


def _without_question(tokens: Any, question: Any) -> Any:
    """Return `(N, L)` tokens without the question's, where the model repeats it.

    Decoder-only models do, BLIP without the mark at its end, Pix2Struct with one before it; any
    other model with an encoder starts its answer afresh.
    """
    if question is None:
        return tokens
    whole = question.shape[1]
    for first, length in ((0, whole), (0, whole - 1), (1, whole)):
        begun = tokens[:, first : first + length]
        if begun.shape[1] == length and bool((begun == question[:, :length]).all()):
            return tokens[:, first + length :]
    return tokens


def _last(token: int, tokens: Sequence[int]) -> int:
    """Return the last place of a token, or -1."""
    return max((place for place, other in enumerate(tokens) if other == token), default=-1)
