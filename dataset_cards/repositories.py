"""What the Hub's repositories are called, their files known by, and what its refusals mean."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from protocol.errors import DatasetError

_PASSING = frozenset({408, 409, 412, 429, 500, 502, 503, 504})
_PART = r"(?![.-])(?!.*(?:--|\.\.))[A-Za-z0-9._-]{1,96}(?<![.-])"
_REPO = re.compile(f"{_PART}/{_PART}")
_TAG = re.compile(r"(?!.*(?:\.\.|//|\.lock$))[A-Za-z0-9][A-Za-z0-9._/-]*(?<![./])")


def check_repo(repo: str) -> None:
    """Refuse what names no repository, before its contents are looked at for hours.

    Raises:
        DatasetError: it is not `OWNER/NAME`.
    """
    if not _REPO.fullmatch(repo):
        raise DatasetError(f"{repo!r} names no repository of the Hub; wanted OWNER/NAME")


def check_tag_name(tag: str) -> None:
    """Refuse what git takes for no tag.

    Raises:
        DatasetError: it is none.
    """
    if not _TAG.fullmatch(tag):
        raise DatasetError(
            f"{tag!r} cannot name a release; wanted letters, digits, '.', '_', '-' and '/', as v1.0"
        )


def hash_like(content: Path | bytes, known: str) -> str:
    """Return a file's hash of the kind that the Hub has: sha256 for LFS, else git's sha1."""
    is_lfs = len(known) == 64
    if isinstance(content, bytes):
        size, pieces = len(content), iter([content])
    else:
        size, pieces = content.stat().st_size, _pieces(content)
    digest = hashlib.sha256() if is_lfs else hashlib.sha1(usedforsecurity=False)
    if not is_lfs:
        digest.update(f"blob {size}\0".encode())
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def hub_errors() -> tuple[type[Exception], ...]:
    """Return what the client raises where the Hub refuses or does not answer."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError, httpx2.TransportError


def is_passing(error: Exception) -> bool:
    """Return whether the same call may succeed later."""
    response = getattr(error, "response", None)
    return response is None or response.status_code in _PASSING


def refused(repo: str, error: Exception) -> DatasetError:
    """Return what a user is told of such an error."""
    response = getattr(error, "response", None)
    said = f"HTTP {response.status_code}" if response is not None else type(error).__name__
    # An error of the line may have no words.
    told = str(error).strip().rpartition("\n")[2][:200] or "no answer"
    return DatasetError(
        f"the Hub did not take it ({said}): {told}. "
        f"What of {repo} was done is kept; publish again to go on"
    )
