"""Bytes a caption takes with each text coder; the primed one with priors of other captions.

    python benchmarks/text.py CAPTIONS_DIR [-o benchmarks/results/text.md] [--step 1]

CAPTIONS_DIR holds gpt4v.csv and qwen.csv. Every section is decoded again and compared. A section's
flag and the prior's hash are in the figures; the container's header is not. Below the table: how
many captions another prior with the same tag gives a text for.
"""

import argparse
import os
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from evaluator.captioners.file import read_captions
from evaluator.text_coders import decode_caption, encode_caption
from evaluator.text_prior import TextPrior, build_prior
from protocol.errors import BitstreamError

HALF = 500


class Row(NamedTuple):
    """One line of the table."""

    coder: str
    prior: str
    captions: str
    mean_bytes: float
    longest: int
    milliseconds: float
    """Encoding and decoding a caption, the prior's own stream and the decoder's start included."""


def main() -> None:
    """Print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("captions_dir", type=Path)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--step", type=int, default=1, help="take every N-th caption only")
    options = parser.parse_args()
    lines = list(head(options.step))
    for line in lines:
        print(line)
    for row in measure(options.captions_dir, options.step):
        lines.append(
            f"| {row.coder} | {row.prior} | {row.captions} | {row.mean_bytes:.2f} | "
            f"{8 * row.mean_bytes:.0f} | {row.longest} | {row.milliseconds:.1f} |"
        )
        print(lines[-1], flush=True)
    lines += ["", misread(options.captions_dir, options.step)]
    print(lines[-1])
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def head(step: int) -> Iterator[str]:
    """Yield what stands above the rows."""
    yield "# Bytes per caption, by text coder"
    yield ""
    yield f"`python benchmarks/text.py CAPTIONS_DIR --step {step}`, {time.strftime('%Y-%m-%d')}, "
    yield f"{platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()}. "
    yield "All sections came back exactly. Flag and hash of the prior are counted."
    yield ""
    yield "| coder | prior | captions | bytes | bits | longest | ms |"
    yield "|---|---|---|---:|---:|---:|---:|"


def measure(folder: Path, step: int) -> Iterator[Row]:
    """Yield the rows."""
    gpt, qwen = (list(read_captions(folder / f"{n}.csv").values()) for n in ("gpt4v", "qwen"))
    for name, texts in (("GPT-4o, all", gpt), ("Qwen, all", qwen)):
        for coder in ("raw", "zlib", "brotli"):
            yield row_of(coder, "none", None, name, texts[::step])
    for model, texts in (("GPT-4o", gpt), ("Qwen", qwen)):
        first, second, even, odd = texts[:HALF], texts[HALF:], texts[::2], texts[1::2]
        # The first half holds all AI-generated pictures, the second all screens; even and odd rows
        # are alike.
        for prior, learnt, tested, rest in (
            ("first", first, "second", second),
            ("second", second, "first", first),
            ("even", even, "odd", odd),
            ("odd", odd, "even", even),
        ):
            named = f"{model}, {prior} half"
            yield row_of(
                "ppmd", named, build_prior(learnt), f"{model}, {tested} half", rest[::step]
            )
    yield row_of("ppmd", "Qwen, all", build_prior(qwen), "GPT-4o, all", gpt[::step])
    yield row_of("ppmd", "GPT-4o, all", build_prior(gpt), "Qwen, all", qwen[::step])


def misread(folder: Path, step: int) -> str:
    """Say how many captions are read where the prior is another one with the tag of the right one.

    The tag is written over: among priors as they come, one in 255 has it.
    """
    texts = list(read_captions(folder / "gpt4v.csv").values())
    prior, other = build_prior(texts[::2]), build_prior(texts[:HALF])
    read, tried = 0, texts[1::2][::step]
    for text in tried:
        payload = encode_caption(text, "ppmd", prior)
        if payload[0]:
            payload = bytes([other.tag]) + payload[1:]
        try:
            read += decode_caption(payload, "ppmd", other) != text
        except BitstreamError:
            continue
    return f"Another prior of the same tag gave {read} of {len(tried)} captions another text."


def row_of(
    coder: str, prior_name: str, prior: TextPrior | None, name: str, texts: Sequence[str]
) -> Row:
    """Encode, decode and compare.

    Raises:
        ValueError: a caption came back changed.
    """
    started, sizes = time.perf_counter(), []
    for text in texts:
        payload = encode_caption(text, coder, prior)
        if decode_caption(payload, coder, prior) != text:
            raise ValueError(f"{coder} does not give {text!r} back")
        sizes.append(len(payload))
    milliseconds = 1000 * (time.perf_counter() - started) / len(texts)
    return Row(coder, prior_name, name, sum(sizes) / len(sizes), max(sizes), milliseconds)


if __name__ == "__main__":
    main()
