"""The primed text coder: exact, short, and not to be misled by a damaged section."""

import csv
import random
from pathlib import Path

import pytest
from conftest import paint
from hypothesis import given
from hypothesis import strategies as st

from evaluator.__main__ import main
from evaluator.text_coders import decode_caption, encode_caption, load_text_coder
from evaluator.text_prior import MAGIC, MAX_PRIOR_BYTES, TextPrior, build_prior, read_prior
from protocol.errors import BitstreamError, CaptionError

LINES = (
    "A red bicycle leans on a white wall in the sun.",
    "A white cat sleeps on a red chair near the window.",
    "Two children play football on a green field under a cloudy sky.",
)
SMALL = build_prior(LINES)


def texts_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


@given(st.text(max_size=60))
def test_every_text_comes_back(text: str) -> None:
    assert decode_caption(encode_caption(text, "ppm", SMALL), "ppm", SMALL) == text


@pytest.mark.parametrize("name", ["gpt4v", "qwen"])
def test_every_eighth_released_caption_comes_back_within_38_bytes(name: str, shared: Path) -> None:
    """The benchmark text.py runs all of them, in both directions."""
    texts = texts_of(shared / "captions" / f"{name}.csv")
    prior = build_prior(texts[:500])
    sizes = []
    for text in texts[500::8]:
        payload = encode_caption(text, "ppm", prior)
        assert decode_caption(payload, "ppm", prior) == text
        sizes.append(len(payload))
    assert sum(sizes) / len(sizes) < 38


def test_the_bytes_are_those_of_the_format() -> None:
    """A change here makes old files unreadable."""
    payload = encode_caption("A red cat sleeps on a white wall.", "ppm", SMALL)
    assert payload.hex() == "a92d31ff0d28"


def test_a_caption_unlike_the_prior_costs_one_byte_more_than_raw() -> None:
    text = bytes(range(1, 128)).decode()[::-1]
    assert encode_caption(text, "ppm", SMALL) == b"\0" + text.encode()
    assert encode_caption("a\0b", "ppm", SMALL) == b"\0a\0b"
    assert decode_caption(b"\0a\0b", "ppm") == "a\0b"


def test_another_prior_is_named_by_its_hash() -> None:
    payload = encode_caption(LINES[0], "ppm", SMALL)
    other = build_prior(LINES[:2])
    name = SMALL.name.replace("[", r"\[")
    with pytest.raises(BitstreamError, match=f"begins with {name}, and none was given"):
        decode_caption(payload, "ppm")
    with pytest.raises(BitstreamError, match=f"begins with {name}, and that is"):
        decode_caption(payload, "ppm", other)
    first, _, digits = SMALL.name.partition("[")
    assert SMALL.sha256.startswith(tuple(first + digit for digit in digits[:-1]))


def test_without_a_prior_nothing_is_encoded() -> None:
    with pytest.raises(CaptionError, match="needs a prior; give --text-prior FILE"):
        encode_caption("a cat", "ppm")


def test_500_random_sections_give_an_error_or_a_text() -> None:
    rng, head = random.Random(0), (0x8000 | SMALL.tag).to_bytes(2, "big")
    whole = encode_caption("A green cat plays football on a chair.", "ppm", SMALL)
    coder, refused = load_text_coder("ppm", SMALL), 0
    for number in range(500):
        if number % 2:
            payload = head + rng.randbytes(rng.randrange(40))
        else:
            damaged = bytearray(whole)
            damaged[rng.randrange(2, len(whole))] ^= rng.randrange(1, 256)
            payload = bytes(damaged[: rng.randrange(2, len(whole) + 1)])
        try:
            coder.decode(payload, 300)
        except BitstreamError:
            refused += 1
    assert refused > 450


def test_a_section_that_is_cut_or_longer_is_refused() -> None:
    payload = encode_caption("A white wall near the green field.", "ppm", SMALL)
    for wrong in (payload[:-1], payload + b"\0", payload + b"x", b"", b"\x05ab", payload[:1]):
        with pytest.raises(BitstreamError, match="text section"):
            decode_caption(wrong, "ppm", SMALL)


def test_a_caption_that_unpacks_to_too_much_is_refused() -> None:
    coder = load_text_coder("ppm", SMALL)
    payload = coder.encode(b"la" * 200)
    assert len(payload) < 60
    assert coder.decode(payload, 400) == b"la" * 200
    with pytest.raises(BitstreamError, match="more than 399 bytes"):
        coder.decode(payload, 399)
    with pytest.raises(BitstreamError, match="a caption of 5 bytes; at most 4"):
        coder.decode(b"\0hello", 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"name,text\n", "is no text prior"),
        (MAGIC, "holds no captions"),
        (MAGIC + b"a cat", "ends within one"),
        (MAGIC + bytes(MAX_PRIOR_BYTES), "more than 1,048,576 bytes"),
    ],
)
def test_a_file_that_is_no_prior_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.prior").write_bytes(data)
    with pytest.raises(CaptionError, match=message):
        read_prior(tmp_path / "x.prior")
    with pytest.raises(CaptionError, match="cmc text-prior build"):
        read_prior(tmp_path / "none.prior")
    with pytest.raises(CaptionError, match="zero byte"):
        build_prior(["a\0b"])


def test_the_command_line_makes_uses_and_asks_for_a_prior(
    tmp_path: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prior, file, picture = (tmp_path / name for name in ("captions.prior", "a.cmc", "a.png"))
    paint(64, 48).save(picture)
    assert main(["text-prior", "build", str(captions)]) == 0
    assert main(["text-prior", "show", str(prior)]) == 0
    built, shown = capsys.readouterr().out.splitlines()
    assert built == shown
    assert "3 captions" in built
    assert read_prior(prior) == TextPrior(prior.read_bytes())
    text = "A blue window in front of soft clouds."
    primed = ["--text-prior", str(prior)]
    encode = ["encode", str(picture), "-o", str(file), "--mode", "pixel", "--caption", text]
    assert main([*encode, "--text-coder", "ppm", *primed]) == 0
    assert main(["info", str(file), *primed]) == 0
    assert f"caption (ppm): {text}" in capsys.readouterr().out
    assert main(["decode", str(file), "-o", str(tmp_path / "b.png"), *primed]) == 0
    assert main(["decode", str(file), "-o", str(tmp_path / "b.png")]) == 1
    assert read_prior(prior).name in capsys.readouterr().err
