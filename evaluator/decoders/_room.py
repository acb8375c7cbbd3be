"""Whether a prompt is longer than a pipeline's text encoders read: diffusers cuts it, and warns."""

import math
from collections.abc import Iterator
from typing import Any

from evaluator.decoders._pipelines import options_of

_TOKENIZERS = ("tokenizer", "tokenizer_2", "tokenizer_3", "tokenizer_4")


def is_cut(pipeline: Any, prompt: str) -> bool | None:
    """Return whether no text encoder of a pipeline reads a prompt to its end.

    None where it has no tokenizer. A model with a CLIP and a T5 reads what the T5 reads.
    """
    rooms = list(_rooms(pipeline))
    if not rooms:
        return None
    read = _with_what_is_before(pipeline, prompt)
    return all(len(tokenizer(read).input_ids) > room for tokenizer, room in rooms)


def _rooms(pipeline: Any) -> Iterator[tuple[Any, float]]:
    """Yield the tokenizers, each with the tokens that its encoder gets."""
    asked = options_of(pipeline).get("max_sequence_length")
    longest = asked.default if asked and isinstance(asked.default, int) else math.inf
    longest = getattr(pipeline, "default_max_sequence_length", longest)
    parts = [getattr(pipeline, name, None) for name in _TOKENIZERS]
    if parts[0] is None:
        parts[0] = getattr(pipeline, "processor", None)
    for part in parts:
        # In some pipelines a processor stands here, which names no room.
        tokenizer = getattr(part, "tokenizer", part)
        room = getattr(tokenizer, "model_max_length", None)
        if room is not None:
            # CLIP's positions end where they end; the pipeline's limit is for the others.
            is_clip = type(tokenizer).__name__.startswith("CLIP")
            yield tokenizer, room if is_clip else min(room, longest)


def _with_what_is_before(pipeline: Any, prompt: str) -> str:
    """Return a prompt behind what a pipeline puts before it and counts with it."""
    match type(pipeline).__name__:
        case "Lumina2Pipeline":
            return f"{pipeline.system_prompt} <Prompt Start> {prompt}"
        case "NucleusMoEImagePipeline":
            turns = pipeline._format_prompt(prompt)
        case "Flux2Pipeline":
            said = [("system", pipeline.system_message), ("user", prompt)]
            turns = pipeline.tokenizer.apply_chat_template(
                [{"role": who, "content": [{"type": "text", "text": what}]} for who, what in said],
                tokenize=False,
            )
            # The tokenizer puts its own there.
            turns = turns.removeprefix(pipeline.tokenizer.tokenizer.bos_token or "")
        case "Flux2KleinPipeline" | "ZImagePipeline":
            turns = pipeline.tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], tokenize=False
            )
        case _:
            return prompt
    told = prompt.strip()
    place = turns.rfind(told)
    return str(turns if place < 0 else turns[: place + len(told)])
