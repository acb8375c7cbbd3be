"""Texts of a form that could deceive whoever reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submission.findings import Code
from submission.wording import LONGEST, check_texts, shown


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"dataset": "a\x00b"}, Code.BAD_TEXT),
        ({"dataset": "../../etc"}, Code.BAD_TEXT),
        ({"t2i": "diffusers:../../etc/passwd"}, Code.BAD_TEXT),
        ({"submitter": "<b>me</b>"}, Code.BAD_TEXT),
        ({"comment": "<img src=x onerror=alert(1)>"}, Code.BAD_TEXT),
        ({"comment": "see [this](javascript:alert(1))"}, Code.BAD_TEXT),
        ({"comment": "ab\u202edesrever"}, Code.BAD_TEXT),
        ({"comment": "zero\u200bwidth"}, Code.BAD_TEXT),
        ({"dataset": "two\nlines"}, Code.BAD_TEXT),
        ({"paper": "ftp://x"}, Code.BAD_TEXT),
        ({"variants_tried": "0"}, Code.BAD_TEXT),
        ({"variants_tried": "10001"}, Code.BAD_TEXT),
        ({"variants_tried": "a few"}, Code.BAD_TEXT),
        ({"variants_tried": "-3"}, Code.BAD_TEXT),
        ({"paper": "https://x'onclick='y"}, Code.BAD_TEXT),
        ({"comment": "x" * 1001}, Code.BAD_TEXT),
        ({"dataset": "\ud800"}, Code.BAD_TEXT),
        ({f"field{number}": "x" for number in range(500)}, Code.BAD_FORM),
    ],
)
def test_text_that_could_deceive_is_refused(texts: dict[str, str], code: Code) -> None:
    (found,) = check_texts(texts)
    assert found.code is code
    assert len(found.sentence) < 400


def test_ordinary_text_is_taken() -> None:
    texts = {
        "t2i": "diffusers:stabilityai/stable-diffusion-xl-base-1.0?steps=20&guidance=3.5",
        "codec": "vvc:53",
        "dataset": "Фото 2026 (a), b+c",
        "submitter": "ada",
        "variants_tried": "10000",
        "paper": "https://arxiv.org/abs/2406.09356?x=1#top",
        "comment": "On 3 < 4 pictures, “quoted” & 100 %.\nSecond line.",
    }
    assert not list(check_texts(texts))


@given(st.text(max_size=300))
def test_whatever_is_shown_has_no_character_that_cannot_be_seen(text: str) -> None:
    assert all(character.isprintable() for character in shown(text))


@given(st.dictionaries(st.sampled_from(sorted(LONGEST)), st.text(max_size=50)))
def test_any_text_is_judged_without_an_exception(texts: dict[str, str]) -> None:
    for found in check_texts(texts):
        assert found.code in (Code.BAD_TEXT, Code.BAD_FORM)
