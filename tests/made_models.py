"""Models made by hand in the form of a pipeline: a harmless one, and hostile ones."""

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

INDEX = '{"_class_name": "StableDiffusionPipeline"}'


class Canary:
    """Unpickled, this makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.path),)


def safetensors(count: int = 4) -> bytes:
    """Return whole weights of zeros."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}})
    return struct.pack("<Q", len(header)) + header.encode() + bytes(4 * count)


PAINTER = {
    "README.md": b"---\nlicense: mit\n---\n",
    "model_index.json": INDEX.encode(),
    "unet/config.json": b"{}",
    "unet/model.safetensors": safetensors(),
}
"""The files of a model that the checks accept."""


def make_hostile(folder: Path, spoil: Callable[[Path, Path], None], canary: Path) -> None:
    """Make a pipeline's folder and let one of the functions below spoil it."""
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text(INDEX)
    spoil(folder, canary)


def pickled(folder: Path, canary: Path) -> None:
    (folder / "unet" / "model.bin").write_bytes(pickle.dumps(Canary(canary)))


def with_code(folder: Path, canary: Path) -> None:
    (folder / "unet" / "model.safetensors").write_bytes(safetensors())
    (folder / "modeling.py").write_text(f"import os; os.mkdir({str(canary)!r})")
    (folder / "config.json").write_text('{"auto_map": {"AutoModel": "modeling.M"}}')


def with_pipe(folder: Path, _: Path) -> None:
    (folder / "unet" / "model.safetensors").write_bytes(safetensors())
    os.mkfifo(folder / "config.json")


def with_link(folder: Path, _: Path) -> None:
    (folder / "unet" / "model.safetensors").symlink_to("/etc/passwd")


def with_holes(folder: Path, _: Path) -> None:
    with (folder / "unet" / "model.safetensors").open("wb") as file:
        file.truncate(10 << 30)


HOSTILE = (
    (pickled, "NO_SAFETENSORS"),
    (with_code, "REMOTE_CODE_REQUIRED"),
    (with_pipe, "UNSAFE_FILE"),
    (with_link, "UNSAFE_FILE"),
    (with_holes, "UNSAFE_FILE"),
)
"""What is wrong, and the code that it is refused with."""
