"""Text that people send: what it may hold, how long it may be, and how it is shown."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from protocol.declared import MOST_VARIANTS, read_count
from submission.findings import Code, Finding

LONGEST: Mapping[str, int] = {
    "i2t": 400,
    "t2i": 400,
    "codec": 64,
    "dataset": 64,
    "submitter": 96,
    "paper": 300,
    "code": 300,
    "trained_on": 1000,
    "variants_tried": 5,
    "comment": 1000,
}
"""Characters; a field that is not here is not taken."""
LONGEST_REASON = 500
"""Of a line in a request's history."""

_NAME = re.compile(r"[\w .,:@+/()=?&%~'\[\]{}#-]*")
_PATH_UP = re.compile(r"(^|[/\\=:@])\.\.([/\\@?]|$)")
_MARKUP = re.compile(r"<\s*[a-zA-Z/!?]|javascript\s*:|&#?\w+;", re.IGNORECASE)
_FREE = frozenset({"trained_on", "comment"})
_ADDRESSES = frozenset({"paper", "code"})
_COUNTS = frozenset({"variants_tried"})
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, marks that turn the direction of text or have no width, halves of characters."""


def shown(text: str, longest: int = 160) -> str:
    """Return text that is safe to print: without invisible characters, and not too long."""
    seen = "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}"
        for character in text[:longest]
    )
    return seen + ("…" if len(text) > longest else "")


def check_texts(texts: Mapping[str, str]) -> Iterator[Finding]:
    """Every field is known, short enough, and free of what could deceive a reader or a page."""
    unknown = sorted(set(texts) - set(LONGEST))
    if unknown:
        listed = ", ".join(repr(shown(name, 40)) for name in unknown[:5])
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        yield Finding(
            code=Code.BAD_FORM,
            about="form",
            sentence=f"there are {len(unknown)} unknown fields: {listed}{more}",
            remedy=f"send these and no others: {', '.join(LONGEST)}",
        )
    for name in sorted(set(texts) & set(LONGEST)):
        wrong = _wrong_with(name, texts[name])
        if wrong:
            yield Finding(code=Code.BAD_TEXT, about=name, sentence=wrong[0], remedy=wrong[1])


def check_reason(text: str) -> Iterator[Finding]:
    """A reason that goes into a request's history is one line that hides nothing."""
    wrong = _wrong_with_any("reason", text, LONGEST_REASON, has_lines=False)
    if wrong:
        yield Finding(code=Code.BAD_TEXT, about="reason", sentence=wrong[0], remedy=wrong[1])


def _wrong_with_any(
    name: str, text: str, longest: int, *, has_lines: bool
) -> tuple[str, str] | None:
    """Return what would be wrong with a text of any field and what to do, or None."""
    if len(text) > longest:
        return f"{name} has {len(text):,} characters", f"shorten it to {longest}"
    hidden = sorted({c for c in text if unicodedata.category(c) in _UNSEEN and c != "\n"})
    if hidden or (not has_lines and "\n" in text):
        codes = ", ".join(f"U+{ord(character):04X}" for character in (hidden or ["\n"])[:4])
        return f"{name} holds characters that cannot be seen ({codes})", "type it anew"
    if _MARKUP.search(text):
        return f"{name} holds markup: {shown(text, 60)!r}", "write plain text"
    return None


def _wrong_with(name: str, text: str) -> tuple[str, str] | None:
    """Return what is wrong with one field and what to do, or None."""
    wrong = _wrong_with_any(name, text, LONGEST[name], has_lines=name in _FREE)
    if wrong or name in _FREE:
        return wrong
    if name in _COUNTS:
        return _wrong_count(name, text)
    return _wrong_address(name, text) if name in _ADDRESSES else _wrong_name(name, text)


def _wrong_count(name: str, text: str) -> tuple[str, str] | None:
    if not text or read_count(text) is not None:
        return None
    return (
        f"{name} is no count: {shown(text, 20)!r}",
        f"send a whole number from 1 to {MOST_VARIANTS:,}, or leave it out",
    )


def _wrong_address(name: str, text: str) -> tuple[str, str] | None:
    if not text or re.fullmatch(r"https?://[^\s<>\"']+", text):
        return None
    return f"{name} is no web address: {shown(text, 60)!r}", "begin it with https://"


def _wrong_name(name: str, text: str) -> tuple[str, str] | None:
    if _PATH_UP.search(text):
        return f"{name} leads out of its folder: {shown(text, 60)!r}", "leave out `..`"
    if _NAME.fullmatch(text):
        return None
    strange = sorted({character for character in text if not _NAME.fullmatch(character)})
    return (
        f"{name} holds {' '.join(strange[:8])}",
        "use letters, digits and - _ . , : @ / + ( ) = ?",
    )
