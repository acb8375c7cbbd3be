"""Text that may be shown to strangers: without secrets, and without the machine's folders."""

import os
import re

EXCERPT_CHARACTERS = 4000
HIDDEN = "[hidden]"

_SECRETS = (
    # Known by their form: Hugging Face, OpenAI and its like, GitHub, GitLab, AWS, Google, NVIDIA,
    # Groq and xAI, Slack, JWT, URLs.
    r"\bhf_(?:oauth_|jwt_)?[A-Za-z0-9]{8,}[\w.-]*",
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{8,}",
    r"\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{16,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}",
    r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent)-[A-Za-z0-9_.-]{16,}",
    r"\bAIza[A-Za-z0-9_-]{30,}",
    r"\bnvapi-[A-Za-z0-9_-]{16,}",
    r"\b(?:gsk_|xai-|r8_)[A-Za-z0-9]{20,}",
    r"\bxox[abprs]-[A-Za-z0-9-]{8,}",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*",
    r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
)
_NAMED = re.compile(
    # From a word's beginning alone: one of a million letters would be gone through from each.
    r"(?i)((?:(?<![\w-])[\w-]*"
    r"(?:api[_-]?key|token(?!i[sz])|secret|passw(?:or)?d|credential|signature)"
    r"[\w-]{0,64}|authorization)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?)([^\s\"',;&)}\]]{4,})"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_QUOTED = re.compile(
    r"(?<=[\"'])(?:file://|~|[A-Za-z]:(?=\\))?(?:[/\\][^\n\"'/\\]+){2,}[/\\]?(?=[\"'])"
)
"""Python's own errors name files so, and then a folder may have a space in it."""
_PATH = re.compile(
    r"(?<![\w/.~-])(?:file://|~|[A-Za-z]:(?=\\))?(?:[/\\][^\s\"'<>:|*?/\\(),;]+){2,}[/\\]?"
)
_SECRET_NAMES = re.compile(r"(?i)token|secret|passw|credential|api_?key")


def redact(text: str) -> str:
    """Return a text with tokens, keys and absolute paths replaced; a path keeps its last name."""
    secrets = {value for name, value in os.environ.items() if _SECRET_NAMES.search(name)}
    # The longest first: one may be the beginning of another.
    for value in sorted(secrets, key=len, reverse=True):
        if len(value) >= 8:
            text = text.replace(value, HIDDEN)
    for pattern in _SECRETS:
        text = re.sub(pattern, HIDDEN, text)
    text = _NAMED.sub(rf"\g<1>{HIDDEN}", text)
    text = _BEARER.sub(rf"\g<1> {HIDDEN}", text)
    return _PATH.sub(_last_name, _QUOTED.sub(_last_name, text))


def _last_name(path: re.Match[str]) -> str:
    return "…/" + re.split(r"[/\\]+", path[0].rstrip("/\\"))[-1]


def excerpt(log: str) -> str:
    """Return the redacted end of a log, from the beginning of a line."""
    # Redacted before it is cut: half a token would not be known as one.
    text = redact(log)
    if len(text) <= EXCERPT_CHARACTERS:
        return text
    return "…\n" + text[-EXCERPT_CHARACTERS:].partition("\n")[2]
