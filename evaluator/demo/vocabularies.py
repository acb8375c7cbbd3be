"""Tokenizers for the demo's tiny models, learnt from the demo's own texts."""

import csv
import re
from collections import Counter
from itertools import pairwise
from typing import Any

from evaluator.demo.pictures import captions_file
from protocol.rules import CAPTION_PROMPTS, IMAGE_PROMPT

_END = "</w>"
"""What CLIP appends to the last piece of a word."""

_WORDS = re.compile(r"[a-z]+|[0-9]|[^\sa-z0-9]+")
"""CLIP's own pattern, for ASCII in lower case."""


def clip_tokenizer() -> Any:
    """Return a CLIPTokenizer with all bytes and the frequent letter groups of the demo's texts."""
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    merges = _learn_merges(_texts())
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*alphabet, *(byte + _END for byte in alphabet)]
    pieces += dict.fromkeys(left + right for left, right in merges)
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)


def _learn_merges(texts: list[str]) -> list[tuple[str, str]]:
    """Return the byte pairs that turn the letters of ASCII texts into whole words, in order."""
    # The trainer of the tokenizers library breaks ties by chance; these are broken by alphabet.
    counts = Counter(word for text in texts for word in _WORDS.findall(text.lower()))
    spelled = {word: [*word[:-1], word[-1] + _END] for word in counts}
    merges: list[tuple[str, str]] = []
    while True:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, pieces in spelled.items():
            for pair in pairwise(pieces):
                pairs[pair] += counts[word]
        if not pairs:
            return merges
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for pieces in spelled.values():
            # From the end, as every merge shortens what follows it.
            for place in reversed(range(len(pieces) - 1)):
                if tuple(pieces[place : place + 2]) == best:
                    pieces[place : place + 2] = ["".join(best)]


def word_tokenizer() -> Any:
    """Return a tokenizer whose pieces are the whole words of the demo's texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    split = pre_tokenizers.Whitespace()
    texts = [*_texts(), "USER : ASSISTANT :"]
    words = {word for text in texts for word, _ in split.pre_tokenize_str(text)}
    pieces = ["<unk>", "<s>", "</s>", "<pad>", "<image>", *sorted(words)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = split
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens={"image_token": "<image>"},
        padding_side="left",
        model_max_length=512,
    )


def _texts() -> list[str]:
    """Return all texts that the demo sends through a model."""
    with captions_file().open(newline="", encoding="utf-8") as file:
        captions = [row["text"] for row in csv.DictReader(file)]
    return [*captions, *CAPTION_PROMPTS.values(), IMAGE_PROMPT]
