"""What is known of a model before anything of it is loaded: the input of every check."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
MAIN_FOLDERS = ("unet", "transformer", "prior")
"""Where a pipeline's own network lies; VAE and text encoders are shared by many models."""
VARIANTS = ("fp16", "bf16", "fp32", "non_ema", "ema")


class FileKind(StrEnum):
    """What something in a model's folder is."""

    FILE = "file"
    LINK = "link"
    OTHER = "other"
    """A pipe, a socket or a device."""
    SPARSE = "sparse"
    """A file that says it is far longer than what lies on the disk."""


class Trouble(StrEnum):
    """Why little or nothing could be learnt of a model."""

    NONE = ""
    NOT_FOUND = "not found"
    NO_REVISION = "no such revision"
    NO_ACCESS = "no access"
    DISABLED = "disabled"
    UNREACHABLE = "unreachable"
    TOO_MANY_FILES = "too many files"
    BAD_CONFIG = "bad config"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """One file of a model."""

    name: str
    """Path inside the repository or folder, with `/`."""
    file_bytes: int
    content_hash: str = ""
    """sha256, or `git:` and the blob's sha1 for a small file of the Hub; empty: not known yet."""
    kind: FileKind = FileKind.FILE
    header_is_whole: bool = True
    """Of a local safetensors file: whether its header reads and fits its length."""

    parameters: int | None = None
    """Of a safetensors file whose header was read: how many numbers it holds."""

    @property
    def suffix(self) -> str:
        """The name's last suffix, lower case."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def is_weights(self) -> bool:
        """Whether the name is one of a weight file."""
        return self.suffix in WEIGHT_SUFFIXES

    @property
    def variant(self) -> str:
        """`fp16` for `model.fp16.safetensors` or `model.fp16-00001-of-00002.safetensors`."""
        parts = PurePosixPath(self.name).name.split(".")[1:-1]
        named = [part.partition("-")[0] for part in parts]
        return next((part for part in named if part in VARIANTS), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One model at one commit, from the Hub or from a folder; fetched once."""

    name: str
    """Hub id, or the folder's or file's own name."""
    is_local: bool
    asked_revision: str = ""
    commit: str = ""
    """40 hex digits; empty when it is not known."""
    trouble: Trouble = Trouble.NONE
    trouble_detail: str = ""
    is_private: bool = False
    gated: str = ""
    """`auto` or `manual`; empty for none."""
    licence: str = ""
    base_models: tuple[str, ...] = ()
    pipeline_class: str = ""
    """`_class_name` of `model_index.json`."""
    model_type: str = ""
    """`model_type` of `config.json`."""
    more_inputs: str = ""
    """What its network takes that no file holds; empty where it is a picture and a text alone."""
    remote_code: tuple[str, ...] = ()
    """What would need code from the repository: `config.json: auto_map`, and the like."""
    files: tuple[FileFact, ...] = field(default=())
    flagged_files: tuple[str, ...] = ()
    """Files that the Hub's scanners found unsafe."""

    @property
    def weight_files(self) -> tuple[FileFact, ...]:
        """The files with weights in them."""
        return tuple(file for file in self.files if file.is_weights)

    @property
    def loaded_bytes(self) -> int:
        """Bytes of the weights that a run loads: the smallest whole set among the variants."""
        safe = [file for file in self.weight_files if file.suffix == ".safetensors"]
        sizes: dict[str, int] = {}
        for file in safe or self.weight_files:
            sizes[file.variant] = sizes.get(file.variant, 0) + file.file_bytes
        return min(sizes.values(), default=0)

    @property
    def main_parameters(self) -> int:
        """Parameters of the model's own network; two bytes each where nobody counted them."""
        counts = [
            sum(file.file_bytes // 2 if file.parameters is None else file.parameters for file in g)
            for g in self._variants
        ]
        return min(counts, default=0)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """One hash for each variant of the model's own network, whatever its files are called.

        Equal weights under another name, or beside other files, have the same. Empty where a hash
        of a file is not known.
        """
        whole = [files for files in self._variants if all(file.content_hash for file in files)]
        return tuple(sorted(_hash_of(file.content_hash for file in files) for files in whole))

    @property
    def _variants(self) -> tuple[list[FileFact], ...]:
        """The files of the model's own network, once for each variant."""
        return by_variant(main_files(self.weight_files))


def by_variant(files: Iterable[FileFact]) -> tuple[list[FileFact], ...]:
    """Return the files in groups of one variant."""
    groups: dict[str, list[FileFact]] = {}
    for file in files:
        groups.setdefault(file.variant, []).append(file)
    return tuple(groups.values())


def main_files(files: Iterable[FileFact]) -> tuple[FileFact, ...]:
    """Return the files of a model's own network; all of them where no folder says which it is.

    Where there are safetensors, the same weights in another form beside them are left out.
    """
    weights = tuple(files)
    safe = tuple(file for file in weights if file.suffix == ".safetensors")
    chosen = safe or weights
    named = tuple(file for file in chosen if PurePosixPath(file.name).parts[0] in MAIN_FOLDERS)
    return named or chosen


def _hash_of(hashes: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()[:40]
