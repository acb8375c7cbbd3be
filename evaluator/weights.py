"""The indicators' weight files: found, checked against their sha256, never trusted unseen."""

from dataclasses import dataclass
from pathlib import Path

from protocol.errors import WeightsError
from protocol.files import sha256_of_file

DATASET = "lcysyzxdxc/CMC-Bench"
SUMS = "sha256sums.txt"


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file whose bytes are the ones wanted."""

    path: Path
    sha256: str
    origin: str
    """The Hub dataset with its commit, or `file`."""


def find_weights(name: str, folder: Path | None) -> Weights:
    """Return a weights file from a folder, or from the benchmark's Hub dataset.

    Args:
        name: `topiq-fr.pth` or `topiq-nr.pth`.
        folder: where the file lies, with a `sha256sums.txt` (the form of `sha256sum`) beside it;
            None fetches the released file and checks it against the Hub's sha256.

    Raises:
        WeightsError: the file is missing, its sha256 is not the one wanted, or the Hub cannot be
            reached.
    """
    return _fetch(name) if folder is None else _read(name, folder)


def _read(name: str, folder: Path) -> Weights:
    path = folder / name
    if not path.is_file():
        raise WeightsError(f"{path} is missing; the released file is in the Hub dataset {DATASET}")
    sums = folder / SUMS
    if not sums.is_file():
        raise WeightsError(f"{sums} is missing; make it with `sha256sum *.pth > {SUMS}`")
    wanted = {
        line.split()[1].lstrip("*"): line.split()[0].lower()
        for line in sums.read_text(encoding="utf-8").splitlines()
        if len(line.split()) == 2
    }
    if name not in wanted:
        raise WeightsError(f"{sums} has no line for {name}")
    found = sha256_of_file(path)
    if found != wanted[name]:
        raise WeightsError(f"{path} has sha256 {found}, {SUMS} wants {wanted[name]}; fetch it anew")
    return Weights(path, found, "file")


def _fetch(name: str) -> Weights:
    import httpx2
    from huggingface_hub import HfApi, RepoFile, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        commit = HfApi().dataset_info(DATASET, timeout=20).sha
        (info,) = HfApi().get_paths_info(DATASET, [name], repo_type="dataset", revision=commit)
        path = Path(hf_hub_download(DATASET, name, repo_type="dataset", revision=commit))
    except (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        httpx2.HTTPError,
        ValueError,
    ) as error:
        raise WeightsError(
            f"{name} cannot be fetched from the Hub dataset {DATASET} ({type(error).__name__}); "
            "check the network, or give a folder with --weights"
        ) from error
    wanted = info.lfs.sha256 if isinstance(info, RepoFile) and info.lfs else None
    found = sha256_of_file(path)
    if found != wanted:
        raise WeightsError(f"{path} has sha256 {found}, the Hub says {wanted}; fetch it anew")
    return Weights(path, found, f"{DATASET}@{commit}:{name}")
