"""Tokenizers for the demo's tiny models, learnt from the demo's own texts."""

import csv
import json
from typing import Any

from evaluator.demo.pictures import captions_file
from protocol.rules import CAPTION_PROMPTS, IMAGE_PROMPT


def clip_tokenizer() -> Any:
    """Return a CLIPTokenizer with all bytes and the frequent letter groups of the demo's texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    trainer = trainers.BpeTrainer(vocab_size=2000, end_of_word_suffix="</w>", show_progress=False)
    learner.train_from_iterator([text.lower() for text in _texts()], trainer)
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*alphabet, *(byte + "</w>" for byte in alphabet)]
    pieces += dict.fromkeys(left + right for left, right in merges)
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)


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
