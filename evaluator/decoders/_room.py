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
    return all(len(tokenizer(prompt).input_ids) > room for tokenizer, room in rooms)


def _rooms(pipeline: Any) -> Iterator[tuple[Any, float]]:
    """Yield the tokenizers, each with the tokens that its encoder gets."""
    asked = options_of(pipeline).get("max_sequence_length")
    longest = asked.default if asked and isinstance(asked.default, int) else math.inf
    for name in _TOKENIZERS:
        tokenizer = getattr(pipeline, name, None)
        # In some pipelines a processor stands here, which names no room.
        room = getattr(tokenizer, "model_max_length", None)
        if tokenizer is not None and room is not None:
            # CLIP's positions end where they end; the pipeline's limit is for the others.
            is_clip = type(tokenizer).__name__.startswith("CLIP")
            yield tokenizer, room if is_clip else min(room, longest)
