"""The indicators' weight files: found, checked against their sha256, never trusted unseen."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from evaluator.indicators import find_indicator, indicator_names
from evaluator.indicators._facts import Facts, WeightsFile
from evaluator.set_indicators import find_set_indicator, set_indicator_names
from protocol.errors import WeightsError
from protocol.files import sha256_of_file
from submission.hub_errors import hub_errors

DATASET = "lcysyzxdxc/CMC-Bench"
RELEASED = ("topiq-fr.pth", "topiq-nr.pth")
SUMS = "sha256sums.txt"


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file whose bytes are the ones wanted."""

    path: Path
    sha256: str
    """Of the file; where an indicator has several, of the lines of `sha256sum` for all of them."""
    origin: str
    """The Hub dataset with its commit, or `file`."""


def find_weights(name: str, folder: Path | None) -> Weights:
    """Return a weights file from a folder, or from the benchmark's Hub dataset.

    Args:
        name: `topiq-fr.pth`, or any other file that an indicator declares.
        folder: where the file lies. A line for it in a `sha256sums.txt` (the form of `sha256sum`)
            beside it says what its sha256 must be; without one its publisher's is taken. None
            fetches a released file of the benchmark and checks it against the Hub's sha256.

    Raises:
        WeightsError: the file is missing, its sha256 is not the one wanted or nobody says which
            that is, or the Hub cannot be reached.
    """
    if folder is not None:
        return _read(name, folder)
    if name in RELEASED:
        return _fetch(name)
    raise WeightsError(
        f"{name} is missing, and it is not fetched, being no file of the benchmark's. "
        f"{how_to_get(name)}"
    )


def how_to_get(name: str) -> str:
    """Return what a person does to have a weights file."""
    file = _declared(name)
    if name in RELEASED or file is None:
        return f"the released file is in the Hub dataset {DATASET}"
    return (
        f"Get it with `curl -L -o DIR/{name} {file.url}` (licence: {file.licence}) and give the "
        "folder with --weights DIR"
    )


def _declared(name: str) -> WeightsFile | None:
    files = (file for facts in _all_facts() for file in facts.files)
    return next((file for file in files if file.name == name), None)


def _all_facts() -> list[Facts]:
    return [
        *(find_indicator(indicator).FACTS for indicator in indicator_names()),
        *(find_set_indicator(indicator).FACTS for indicator in set_indicator_names()),
    ]


def _read(name: str, folder: Path) -> Weights:
    path = folder / name
    if not path.is_file():
        raise WeightsError(f"{path} is missing; {how_to_get(name)}")
    wanted, source = _wanted_sha256(name, folder)
    found = sha256_of_file(path)
    if not found.startswith(wanted):
        raise WeightsError(f"{path} has sha256 {found}, {source} wants {wanted}; fetch it anew")
    return Weights(path, _with_others(found, name, folder), "file")


def _with_others(sha256: str, name: str, folder: Path) -> str:
    """Return a sha256 that other bytes in an indicator's further files change too."""
    others = next((facts.files[1:] for facts in _all_facts() if _is_first(facts, name)), ())
    there = [file.name for file in others if (folder / file.name).is_file()]
    if not there:
        return sha256
    lines = [f"{sha256}  {name}", *(f"{sha256_of_file(folder / n)}  {n}" for n in there)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _is_first(facts: Facts, name: str) -> bool:
    return bool(facts.files) and facts.files[0].name == name


def _wanted_sha256(name: str, folder: Path) -> tuple[str, str]:
    """Return the sha256 that a file must have, or its first digits, and who says so."""
    sums = folder / SUMS
    if sums.is_file():
        for line in sums.read_text(encoding="utf-8").splitlines():
            digest, _, listed = line.partition(" ")
            if listed.strip().lstrip("*") == name:
                return digest.lower(), SUMS
    file = _declared(name)
    if file is not None and file.sha256:
        return file.sha256, "its publisher"
    if sums.is_file():
        raise WeightsError(f"{sums} has no line for {name}")
    raise WeightsError(f"{sums} is missing; make it with `sha256sum * > {SUMS}`")


def _fetch(name: str) -> Weights:
    from huggingface_hub import HfApi, RepoFile, hf_hub_download

    try:
        commit = HfApi().dataset_info(DATASET, timeout=20).sha
        (info,) = HfApi().get_paths_info(DATASET, [name], repo_type="dataset", revision=commit)
        path = Path(hf_hub_download(DATASET, name, repo_type="dataset", revision=commit))
    except hub_errors(ValueError) as error:
        raise WeightsError(
            f"{name} cannot be fetched from the Hub dataset {DATASET} ({type(error).__name__}); "
            "check the network, or give a folder with --weights"
        ) from error
    wanted = info.lfs.sha256 if isinstance(info, RepoFile) and info.lfs else None
    found = sha256_of_file(path)
    if found != wanted:
        raise WeightsError(f"{path} has sha256 {found}, the Hub says {wanted}; fetch it anew")
    return Weights(path, found, f"{DATASET}@{commit}:{name}")
