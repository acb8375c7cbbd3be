"""Results that come with a request: their submitter ran it, and the store takes them in."""

from collections.abc import Iterable

ROOM = "reported/"


def reported_path(request_id: str, sha256: str, kind: str) -> str:
    """Return where a file of the results lies in the store; `kind` is `json` or `parquet`."""
    return f"{_beginning(request_id)}{sha256[:16]}.{kind}"


def reported_among(request_id: str, paths: Iterable[str]) -> list[str]:
    """Return those of the paths that are results of a request."""
    return [path for path in paths if path.startswith(_beginning(request_id))]


def is_reported(files: Iterable[str]) -> bool:
    """Say whether a request came with its results, by the files of its state."""
    return any(path.startswith(ROOM) for path in files)


def reported_requests(paths: Iterable[str]) -> frozenset[str]:
    """Return the requests whose results are among the paths."""
    names = (path.rpartition("/")[2] for path in paths if path.startswith(ROOM))
    return frozenset(name.partition(".")[0] for name in names)


def _beginning(request_id: str) -> str:
    return f"{ROOM}{request_id[:2]}/{request_id}."
