"""A model's folder on this machine: what is in it, read with care, and the hashes that pin it."""

import functools
import hashlib
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

from protocol.errors import InputError, ModelError
from protocol.files import sha256_of_file
from submission.facts import FileFact, FileKind, ModelFacts, Trouble
from submission.model_configs import MAX_CONFIG_BYTES, config_names, read_configs

MAX_ENTRIES = 10_000
MAX_HEADER_BYTES = 100_000_000
"""Of a safetensors file; the format's own limit."""


def local_path(text: str) -> Path:
    """Return what a text names on this machine, `~` being a user's home.

    `~NAME` of nobody here stays as it is: it is no path, and as such it is then refused.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def under_home(path: Path) -> Path:
    """Return a folder of ours, `~` being this user's home.

    Raises:
        InputError: nobody knows where that is.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{path}: this user has no home; set HOME, or name a folder with --cache or CMC_CACHE"
        ) from error


def folder_facts(path: Path) -> ModelFacts:
    """Return what can be learnt of a folder or file without hashing it.

    Nothing is opened but small JSON files and the headers of safetensors; links and pipes are
    seen and not followed.
    """
    name = path.resolve().name
    try:
        files = _list_files(path)
    except OSError as error:
        is_gone = isinstance(error, FileNotFoundError) and not path.exists()
        trouble = Trouble.NOT_FOUND if is_gone else Trouble.NO_ACCESS
        return ModelFacts(name=name, is_local=True, trouble=trouble, trouble_detail=str(error))
    if files is None:
        detail = f"more than {MAX_ENTRIES:,} files and folders"
        return ModelFacts(
            name=name, is_local=True, trouble=Trouble.TOO_MANY_FILES, trouble_detail=detail
        )
    return _facts_of(name, path, files)


def _facts_of(name: str, path: Path, files: list[FileFact]) -> ModelFacts:
    plain = {file.name for file in files if file.kind is FileKind.FILE}
    configs = read_configs(
        config_names(plain) if path.is_dir() else [], lambda name: _read_start(path / name)
    )
    headers = {
        file.name: _parameters(_within(path, file.name), file.file_bytes)
        for file in files
        if file.suffix == ".safetensors" and file.kind is FileKind.FILE
    }
    return ModelFacts(
        name=name,
        is_local=True,
        trouble=Trouble.BAD_CONFIG if configs.broken else Trouble.NONE,
        trouble_detail=", ".join(configs.broken),
        licence=_licence_of(path),
        pipeline_class=configs.pipeline_class,
        model_type=configs.model_type,
        more_inputs=configs.more_inputs,
        remote_code=configs.remote_code,
        files=tuple(
            replace(
                file,
                parameters=headers.get(file.name),
                header_is_whole=headers.get(file.name, 0) is not None,
            )
            for file in files
        ),
    )


def with_hashes(facts: ModelFacts, path: Path) -> ModelFacts:
    """Return the facts with the sha256 of every weight file, which reads them once."""
    files = tuple(
        replace(file, content_hash=_hash(_within(path, file.name))) if file.is_weights else file
        for file in facts.files
    )
    return replace(facts, files=files)


def require_safetensors(folder: Path) -> None:
    """Refuse a model folder whose weights could only be unpickled.

    Raises:
        ModelError: the folder holds no `.safetensors` file.
    """
    if not any(folder.rglob("*.safetensors")):
        found = sorted(path.name for path in folder.rglob("*") if path.is_file())[:5]
        raise ModelError(
            f"{folder} holds no .safetensors file (found: {', '.join(found) or 'nothing'}); "
            "save the model with save_pretrained(..., safe_serialization=True), or name a "
            "restoration network's file itself"
        )


def hash_folder(folder: Path) -> str:
    """Return 40 hex digits over the names and contents of a model's files.

    Raises:
        ModelError: something in the folder is not a plain file, or leads out of it.
    """
    digest = hashlib.sha256()
    root = folder.resolve()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        if not path.is_file() or not path.resolve().is_relative_to(root):
            raise ModelError(f"{folder}: {name} is no plain file inside the folder; remove it")
        digest.update(f"{name}\0{_hash(path)}\n".encode())
    return digest.hexdigest()[:40]


def hash_file(path: Path) -> str:
    """Return 40 hex digits over a file's content."""
    return _hash(path)[:40]


def _hash(path: Path) -> str:
    """Return a file's sha256; a file of gigabytes that has not changed is read once a process."""
    found = path.stat()
    return _hash_of_version(path, found.st_ino, found.st_size, found.st_mtime_ns)


@functools.lru_cache(maxsize=MAX_ENTRIES)
def _hash_of_version(path: Path, *_version: int) -> str:
    return sha256_of_file(path)


def _list_files(root: Path) -> list[FileFact] | None:
    """Return what lies in a folder that is no folder itself; None when there is too much."""
    if not root.is_dir():
        return [_fact(root.resolve().name, root.stat())]
    folders, files, seen = [(root, "")], [], 0
    while folders:
        folder, prefix = folders.pop()
        with os.scandir(folder) as found:
            for entry in found:
                seen += 1
                if seen > MAX_ENTRIES:
                    return None
                if entry.is_dir(follow_symlinks=False):
                    folders.append((Path(entry.path), f"{prefix}{entry.name}/"))
                else:
                    files.append(_fact(prefix + entry.name, entry.stat(follow_symlinks=False)))
    return sorted(files, key=lambda file: file.name)


def _fact(name: str, found: os.stat_result) -> FileFact:
    if stat.S_ISLNK(found.st_mode):
        kind = FileKind.LINK
    elif not stat.S_ISREG(found.st_mode):
        kind = FileKind.OTHER
    elif found.st_size > 1 << 20 and found.st_blocks * 512 < found.st_size // 2:
        # Weights hardly compress, so no file system that compresses halves them.
        kind = FileKind.SPARSE
    else:
        kind = FileKind.FILE
    return FileFact(name=name, file_bytes=found.st_size, kind=kind)


def _within(root: Path, name: str) -> Path:
    return root / name if root.is_dir() else root


def _read_start(path: Path) -> bytes:
    # Between the look and the opening a file may have become a link or a pipe.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read(MAX_CONFIG_BYTES + 1)


def _parameters(path: Path, file_bytes: int) -> int | None:
    """Return how many numbers a safetensors file holds; None when its header does not fit it."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(MAX_HEADER_BYTES, file_bytes - 8):
            return None
        try:
            tensors = json.loads(file.read(length))
            tensors.pop("__metadata__", None)
            end = max((item["data_offsets"][1] for item in tensors.values()), default=0)
            count = sum(_product(item["shape"]) for item in tensors.values())
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            return None
    return count if 8 + length + end == file_bytes else None


def _product(shape: list[int]) -> int:
    count = 1
    for side in shape:
        count *= int(side)
    return count


def _licence_of(path: Path) -> str:
    """Return the licence that a folder's model card declares; empty where it declares none."""
    card = path / "README.md"
    if card.is_symlink() or not card.is_file():
        return ""
    head = _read_start(card).decode("utf-8", "replace")
    if not head.startswith("---"):
        return ""
    for line in head.split("\n---", 1)[0].splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "license":
            return value.strip().strip("\"'")[:100]
    return ""
