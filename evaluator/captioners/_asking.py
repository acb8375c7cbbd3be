"""What every I2T model that is asked a question has in common: prompt, length, and the cut."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluator.captioners import Caption
from protocol.errors import CaptionError, ModelError
from protocol.prompts import Prompt, find_prompt
from protocol.versions import Protocol
from submission.settings import Value

TOKENS_PER_WORD = 4
"""Room for a caption: English takes about 1.3 tokens a word, other scripts more."""

CUTS = ("no", "words")

THINKING = (("<think>", "</think>"), ("<|channel>", "<channel|>"))
"""Marks around what a model thinks before it answers: Qwen's, GLM's and most others'; Gemma's."""
UNFINISHED = (
    "the model was still thinking when its room was used up; max_new_tokens=2000 or so gives it "
    "more, and its answer is the caption"
)

ASKING_SETTINGS: Mapping[str, Value] = {"prompt": "", "max_new_tokens": 0, "cut": "no"}
"""`prompt`: a name in `protocol/prompts.py`, or the protocol's own. `max_new_tokens`: room for the
answer; 0 is four tokens for each word asked for. `cut`: `no`, or `words` to take off what is beyond
the words asked for, as the paper says and its released captions do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a model is asked, and what becomes of its answer."""

    prompt: Prompt
    max_new_tokens: int
    cut_to: int | None
    """Words that are kept; None keeps all."""

    def finish(self, answer: str, tokens: int | None, *, is_whole: bool) -> Caption:
        """Return an answer as a caption; a cut one has single spaces between its words.

        Args:
            answer: what the model said.
            tokens: how many pieces it said, where that is known.
            is_whole: whether it came to its end before its room was used up.

        Raises:
            CaptionError: there is thinking in it that comes to no end.
        """
        text = _without_thinking(answer).strip()
        words = text.split()
        if self.cut_to is None or len(words) <= self.cut_to:
            return Caption(text=text, tokens=tokens, is_cut=not is_whole)
        return Caption(text=" ".join(words[: self.cut_to]), tokens=tokens, is_cut=True)


def _without_thinking(answer: str) -> str:
    for opening, closing in THINKING:
        answer = answer.rpartition(closing)[2]
        if opening in answer:
            raise CaptionError(UNFINISHED)
    return answer


def read_asking(settings: Mapping[str, Value], protocol: Protocol) -> Asking:
    """Return what the adapter's settings, read with the defaults of `ASKING_SETTINGS`, ask for.

    Raises:
        ModelError: there is no such cut, or nothing to cut to, or no room for an answer.
        InputError: there is no such prompt.
    """
    prompt = find_prompt(str(settings["prompt"]) or f"q{protocol.caption_words}")
    cut, room = settings["cut"], int(settings["max_new_tokens"])
    if cut not in CUTS:
        raise ModelError(f"cut={cut}: wanted {' or '.join(CUTS)}")
    if cut == "words" and prompt.words is None:
        raise ModelError(f"cut=words: prompt {prompt.name} asks for no number of words")
    if room < 0:
        raise ModelError(f"max_new_tokens={room}: wanted a number from 1, or 0 for the default")
    words = prompt.words or protocol.caption_words
    return Asking(
        prompt=prompt,
        max_new_tokens=room or words * TOKENS_PER_WORD,
        cut_to=prompt.words if cut == "words" else None,
    )


def describe_asking(protocol: Protocol) -> dict[str, object]:
    """Return what decides a caption beside the settings that were typed."""
    prompt = find_prompt(f"q{protocol.caption_words}")
    return {"prompt": prompt.text, "words": prompt.words, "tokens_per_word": TOKENS_PER_WORD}
