"""Replication records in a store that is a folder: `replications/<request>/<hash>.json`."""

import hashlib
from pathlib import Path

from protocol.files import write_whole
from protocol.jsonable import from_json, to_json
from protocol.replications import Replication

FOLDER = "replications"


def replication_path(replication: Replication) -> tuple[str, bytes]:
    """Return where a record lies in a store, and its content; equal records lie at one place."""
    content = to_json(replication).encode()
    digest = hashlib.sha256(content).hexdigest()[:20]
    return f"{FOLDER}/{replication.request_id}/{digest}.json", content


def file_replication(store: Path, replication: Replication) -> Path:
    """Write a record into a folder store and return its path; nothing is ever replaced."""
    name, content = replication_path(replication)
    path = store / name
    if not path.exists():
        write_whole(path, content)
    return path


def read_replications(store: Path) -> list[Replication]:
    """Return the records of a folder store."""
    paths = sorted((store / FOLDER).glob("*/*.json"))
    return [from_json(Replication, path.read_bytes()) for path in paths]
