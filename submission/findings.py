"""What a check answers: a code, a sentence and the remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The closed list of answers; `docs/submitting.md` explains each."""

    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    REVISION_NOT_FOUND = "REVISION_NOT_FOUND"
    HUB_UNREACHABLE = "HUB_UNREACHABLE"
    GATED_NO_ACCESS = "GATED_NO_ACCESS"
    MODEL_DISABLED = "MODEL_DISABLED"
    GATED = "GATED"
    PRIVATE = "PRIVATE"
    BAD_CONFIG = "BAD_CONFIG"
    NO_SAFETENSORS = "NO_SAFETENSORS"
    PICKLES_IGNORED = "PICKLES_IGNORED"
    ADAPTER_IGNORED = "ADAPTER_IGNORED"
    DAMAGED_WEIGHTS = "DAMAGED_WEIGHTS"
    UNSAFE_FILE = "UNSAFE_FILE"
    UNSUPPORTED_PIPELINE = "UNSUPPORTED_PIPELINE"
    REMOTE_CODE_REQUIRED = "REMOTE_CODE_REQUIRED"
    TOO_LARGE = "TOO_LARGE"
    NO_LICENCE = "NO_LICENCE"
    LICENCE = "LICENCE"
    BASE_MODEL = "BASE_MODEL"
    MODE_UNSUPPORTED = "MODE_UNSUPPORTED"
    ENDPOINT_CLOSED = "ENDPOINT_CLOSED"
    BAD_FORM = "BAD_FORM"
    BAD_TEXT = "BAD_TEXT"
    BAD_CAPTIONS = "BAD_CAPTIONS"
    DUPLICATE_REQUEST = "DUPLICATE_REQUEST"
    DUPLICATE_WEIGHTS = "DUPLICATE_WEIGHTS"
    RENAMED = "RENAMED"
    OVERRULED = "OVERRULED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"


NOTES = frozenset(
    {
        *(Code.GATED, Code.PRIVATE, Code.PICKLES_IGNORED, Code.ADAPTER_IGNORED),
        *(Code.NO_LICENCE, Code.LICENCE, Code.BASE_MODEL, Code.RENAMED, Code.OVERRULED),
    }
)
"""What is worth saying and stops nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer of one check."""

    code: Code
    about: str
    """`i2t`, `t2i`, `codec`, or the field of the form."""
    sentence: str
    """What was found."""
    remedy: str
    """What to do; empty where there is nothing to do."""

    @property
    def refuses(self) -> bool:
        """Whether a submission with this finding is turned away."""
        return self.code not in NOTES


def refusals(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that turn a submission away."""
    return tuple(finding for finding in findings if finding.refuses)
