"""The primed text coder: exact, short, and not to be misled by a damaged section."""

import csv
import io
import random
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import paint
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.__main__ import main
from evaluator.bench import Bench
from evaluator.bitstream import Bitstream
from evaluator.receive import receive
from evaluator.run import check_request
from evaluator.text_coders import decode_caption, encode_caption, load_text_coder
from evaluator.text_coders._ppmd_child import decode
from evaluator.text_coders._ppmd_stream import stream_of
from evaluator.text_prior import MAGIC, MAX_PRIOR_BYTES, TextPrior, build_prior, read_prior
from protocol.errors import BitstreamError, CaptionError, InputError
from protocol.jsonable import from_json
from protocol.records import Request, Result
from protocol.rules import Mode
from protocol.versions import find_protocol

LINES = (
    "A red bicycle leans on a white wall in the sun.",
    "A white cat sleeps on a red chair near the window.",
    "Two children play football on a green field under a cloudy sky.",
)
SMALL = build_prior(LINES)


def texts_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=60))
def test_every_text_comes_back(text: str) -> None:
    assert decode_caption(encode_caption(text, "ppmd", SMALL), "ppmd", SMALL) == text


@pytest.mark.parametrize("name", ["gpt4v", "qwen"])
def test_released_captions_come_back_exactly(name: str, shared: Path) -> None:
    """Those that are not ASCII, the longest and some others; the benchmark text.py takes all."""
    texts = texts_of(shared / "captions" / f"{name}.csv")
    prior = build_prior(texts[:500])
    chosen = [text for text in texts if not text.isascii()]
    for text in {*chosen, max(texts, key=len), *texts[500::125]}:
        payload = encode_caption(text, "ppmd", prior)
        assert decode_caption(payload, "ppmd", prior) == text


@pytest.mark.parametrize("learnt", [slice(500), slice(500, None)])
def test_captions_of_other_contents_give_a_prior_for_35_bytes_a_caption(
    learnt: slice, shared: Path
) -> None:
    """The first half has no screens, the second no AI-generated pictures.

    A fifth is tried; zlib takes 105 bytes.
    """
    texts = texts_of(shared / "captions" / "gpt4v.csv")
    prior = build_prior(texts[learnt])
    tried = [text for text in texts if text not in texts[learnt]][::5]
    sizes = [len(encode_caption(text, "ppmd", prior)) for text in tried]
    assert sum(sizes) / len(sizes) <= 35


def test_the_bytes_are_those_of_the_format() -> None:
    """A change here makes old files unreadable."""
    payload = encode_caption("A red cat sleeps on a white wall.", "ppmd", SMALL)
    assert payload.hex() == "5224aad0e882"


def test_a_caption_unlike_the_prior_costs_one_byte_more_than_raw() -> None:
    text = bytes(range(1, 128)).decode()[::-1]
    assert encode_caption(text, "ppmd", SMALL) == b"\0" + text.encode()
    assert encode_caption("a\0b", "ppmd", SMALL) == b"\0a\0b"
    assert decode_caption(b"\0a\0b", "ppmd") == "a\0b"


def test_the_longest_caption_unlike_the_prior_takes_seconds_and_not_minutes() -> None:
    rng = random.Random(0)
    text = "".join(chr(rng.randrange(0x20, 0xD7FF)) for _ in range(5400))
    started = time.perf_counter()
    assert decode_caption(encode_caption(text, "ppmd", SMALL), "ppmd", SMALL) == text
    assert time.perf_counter() - started < 60


def test_another_prior_is_named_by_its_hash() -> None:
    payload = encode_caption(LINES[0], "ppmd", SMALL)
    other = build_prior(LINES[:2])
    with pytest.raises(BitstreamError, match="sha256 begins with 52, and none was given"):
        decode_caption(payload, "ppmd")
    with pytest.raises(BitstreamError, match="sha256 begins with 52, and one whose"):
        decode_caption(payload, "ppmd", other)
    assert SMALL.sha256.startswith("52")


def test_with_another_prior_of_the_same_tag_no_caption_is_taken_for_the_one_sent() -> None:
    other = next(
        prior
        for number in range(9999)
        if (prior := build_prior([*LINES[1:], f"Number {number}."])).tag == SMALL.tag
    )
    refused = 0
    for thing in ("cat", "bicycle", "football", "window", "cloudy chair", "green field"):
        text = f"A red {thing} sleeps on a wall near the children."
        payload = encode_caption(text, "ppmd", SMALL)
        try:
            assert decode_caption(payload, "ppmd", other) != text
        except BitstreamError:
            refused += 1
    assert refused > 0


def test_without_a_prior_nothing_is_encoded() -> None:
    with pytest.raises(CaptionError, match="needs a prior; give --text-prior FILE"):
        encode_caption("a cat", "ppmd")


def hostile_sections(count: int) -> Iterator[bytes]:
    """Yield sections with the right tag: random ones, and a caption's with bytes changed or cut."""
    rng = random.Random(0)
    whole = encode_caption("A green cat plays football on a chair.", "ppmd", SMALL)
    for number in range(count):
        if number % 2:
            yield whole[:1] + rng.randbytes(rng.randrange(40))
        else:
            damaged = bytearray(whole)
            damaged[rng.randrange(1, len(whole))] ^= rng.randrange(1, 256)
            yield bytes(damaged[: rng.randrange(1, len(whole) + 1)])


def test_a_file_with_a_hostile_section_and_a_right_checksum_is_refused_or_a_text() -> None:
    refused = 0
    for section in hostile_sections(40):
        stream = Bitstream(width=64, height=64, mode=Mode.TEXT, text_coder="ppmd", text=section)
        try:
            receive(stream.pack(), find_protocol("cmc-1"), SMALL)
        except BitstreamError:
            refused += 1
    assert refused > 20


def test_the_decoder_never_runs_out_of_input() -> None:
    """That is when it would write to freed memory; here in this process, which lives on."""
    stream = stream_of(SMALL)
    for section in hostile_sections(300):
        try:
            whole = stream.with_addition(section[1:])
        except BitstreamError:
            continue
        head = struct.pack(">II", len(SMALL.captions), 300)
        text = io.BytesIO()
        with suppress(ValueError):
            decode(io.BytesIO(head + SMALL.captions + whole), text)
        assert len(text.getvalue()) <= 301


def test_a_decoder_that_is_killed_is_an_error_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BitstreamError, match="its decoder ended with 1"):
        decode_caption(encode_caption(LINES[0], "ppmd", SMALL), "ppmd", SMALL)


def test_a_section_that_is_empty_or_has_bytes_that_it_does_not_need_is_refused() -> None:
    payload = encode_caption("A white wall near the green field.", "ppmd", SMALL)
    for wrong in (payload + b"\0", payload + b"\0\0", b""):
        with pytest.raises(BitstreamError, match="text section"):
            decode_caption(wrong, "ppmd", SMALL)


def test_a_caption_that_unpacks_to_too_much_is_refused() -> None:
    coder = load_text_coder("ppmd", SMALL)
    payload = coder.encode(b"la" * 200)
    assert len(payload) < 60
    assert coder.decode(payload, 400) == b"la" * 200
    with pytest.raises(BitstreamError, match="more than 399 bytes"):
        coder.decode(payload, 399)
    with pytest.raises(BitstreamError, match="more than 4 bytes"):
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
    assert main([*encode, "--text-coder", "ppmd", *primed]) == 0
    assert main(["info", str(file), *primed]) == 0
    assert f"caption (ppmd): {text}" in capsys.readouterr().out
    assert main(["info", str(file)]) == 0
    assert "\ncaption (ppmd): not read, the caption needs the text prior" in capsys.readouterr().out
    assert main(["decode", str(file), "-o", str(tmp_path / "b.png"), *primed]) == 0
    assert main(["decode", str(file), "-o", str(tmp_path / "b.png")]) == 1
    assert read_prior(prior).name in capsys.readouterr().err


def test_a_run_with_a_prior_is_a_variant_of_the_protocol_with_fewer_bits(
    tmp_path: Path, captions: Path, images: Path
) -> None:
    prior = tmp_path / "captions.prior"
    assert main(["text-prior", "build", str(captions)]) == 0
    run = ["evaluate", "--i2t", f"file:{captions}", "--t2i", "start-image", "--modes", "pixel"]
    run += ["--images", str(images), "--protocol", "demo-0", "--cache", str(tmp_path / "cache")]
    run += ["--device", "cpu"]
    rates = []
    for out, coder in (
        ("zlib", []),
        ("ppmd", ["--text-coder", "ppmd", "--text-prior", str(prior)]),
    ):
        assert main([*run, "--out", str(tmp_path / out), *coder]) == 0
        result = from_json(Result, (tmp_path / out / "result.json").read_text())
        rates.append(result.rates[0].bits_per_pixel)
    digits = read_prior(prior).sha256[:16]
    assert result.request.protocol == f"demo-0?text_coder=ppmd&text_prior={digits}"
    assert rates[1] < rates[0]
    assert main([*run, "--out", str(tmp_path / "x"), "--text-coder", "ppmd"]) == 1
    assert main([*run, "--out", str(tmp_path / "x"), "--text-prior", str(prior)]) == 1


def test_a_run_is_refused_without_the_prior_that_its_protocol_names(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    request = ask(modes=(Mode.PIXEL,))
    named = f"demo-0?text_coder=ppmd&text_prior={SMALL.sha256[:16]}"
    with pytest.raises(InputError, match=f"has the text prior {SMALL.sha256[:16]}, and none"):
        check_request(replace(request, protocol=named), make_bench())
    with pytest.raises(InputError, match="no text coder 'gzip'"):
        check_request(replace(request, protocol="demo-0?text_coder=gzip"), make_bench())
