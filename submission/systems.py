"""From what a person types to a pinned System.

That is `ADAPTER:MODEL[@REVISION][?NAME=VALUE&…]`, or a name from the registry with the same
endings: `llava-1.5?prompt=q20`.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from protocol.errors import ModelError
from protocol.records import System
from protocol.rules import Role
from protocol.systems import (
    ADAPTERS,
    ENDPOINT_ADAPTERS,
    WITHOUT_MODEL,
    NamedSystem,
    Readiness,
    find_system,
    near_names,
)
from submission.folders import hash_file, hash_folder, local_path, require_safetensors
from submission.hub_errors import hub_errors
from submission.settings import as_counted, is_default

_HUB_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_COMMIT = re.compile(r"[0-9a-f]{40}")

MODEL_SETTINGS = frozenset({"adapter"})
"""Settings that name a second model; it is pinned like the first, as `FOLDER@HASH`, `ID@COMMIT`."""


def pin_system(text: str) -> System:
    """Return the system that `text` names, with the exact version of what it loads.

    A model that lies on this machine is pinned by a hash of its files, a Hub id by its commit;
    without `@REVISION` the Hub is asked for the newest one.

    Raises:
        ModelError: a name is not in the registry or stands for nothing that can be run; the model
            is missing, or neither here nor a Hub id, its revision is not known, or a local folder
            holds no safetensors.
    """
    written, typed = split_settings(resolve(text))
    adapter, _, rest = written.partition(":")
    if not adapter:
        raise ModelError(f"{text!r} names no adapter; wanted ADAPTER:MODEL, or an adapter alone")
    # Both spellings are one row.
    kind = adapter.replace("_", "-")
    if kind in ADAPTERS[Role.CODEC]:
        if typed:
            raise ModelError(f"{kind} has no settings, and {text!r} sets {', '.join(typed)}")
        return System(adapter=kind, model=_quality(kind, rest), revision="", path="")
    model, revision = split_revision(rest)
    _require_model(kind, model)
    settings = {
        name: _pin_setting(value) if name in MODEL_SETTINGS else counted
        for name, value in typed.items()
        if not is_default(kind, name, counted := as_counted(kind, name, value))
    }
    # A server's model is known by its name alone; the answers' own model name is kept with them.
    if kind in WITHOUT_MODEL or kind in ENDPOINT_ADAPTERS:
        return System(adapter=kind, model=model, revision=revision, path="", settings=settings)
    if kind == "file" and not local_path(model).is_file():
        # A path of one folder and a name looks like a Hub id.
        raise ModelError(f"{model!r} is no file here; wanted a caption file, CSV or JSON lines")
    name, commit, path = _pin_model(model, revision)
    return System(adapter=kind, model=name, revision=commit, path=path, settings=settings)


def require_unchanged(system: System | None) -> None:
    """Refuse a model on this machine that is no longer what the system was pinned to.

    A caption file is not looked at: where it was changed, the store has a copy.

    Raises:
        ModelError: it was changed, or is gone.
    """
    if system is None or system.adapter == "file":
        return
    seconds = [value for name, value in system.settings.items() if name in MODEL_SETTINGS]
    for pinned in (f"{system.path}@{system.revision}", *seconds):
        model, _, revision = pinned.rpartition("@")
        path = Path(model)
        if path.is_absolute() and not (path.exists() and _hash_of(path) == revision):
            raise ModelError(
                f"{path.name} is no longer what the request names (content {revision[:12]}); "
                "bring back what lay there, or submit what lies there now"
            )


def split_revision(text: str) -> tuple[str, str]:
    """Return a model and what stands behind its last `@`; a path that is here is a model whole."""
    model, at, revision = text.rpartition("@")
    if not at or local_path(text).exists():
        return text, ""
    return model, revision


def is_commit(revision: str) -> bool:
    """Say whether a revision is 40 hex digits: a commit, or the hash of a folder's content."""
    return bool(_COMMIT.fullmatch(revision))


def is_hub_id(text: str) -> bool:
    """Say whether a text has the form `owner/name`; neither may be a path's dots."""
    return bool(_HUB_ID.fullmatch(text)) and not {".", ".."} & set(text.split("/"))


def adapter_of(text: str) -> str:
    """Return the adapter's name of `ADAPTER:MODEL[@REVISION][?NAME=VALUE]`, or of a known name."""
    return split_settings(resolve(text))[0].partition(":")[0]


def resolve(text: str, role: Role | None = None) -> str:
    """Return `ADAPTER:MODEL[@REVISION][?…]` for a name of the registry, and other text as it is.

    A revision or settings behind the name replace the registry's.

    Args:
        text: a name or alias in any case, an adapter alone, or what this function returns.
        role: what the name must be; None takes any.

    Raises:
        ModelError: the name is unknown, of another role, or stands for nothing that can be run.
    """
    written, given = split_settings(text)
    if ":" in written or not written:
        return text
    name, _, revision = written.partition("@")
    row = find_system(name)
    if row is None:
        if any(name.replace("_", "-") in names for names in ADAPTERS.values()):
            return text
        raise ModelError(_unknown(name))
    if role is not None and row.role is not role:
        raise ModelError(f"{row.name} is {_KINDS[row.role]}; wanted {_KINDS[role]}")
    _require_runnable(row, given)
    model = f":{row.repo}" if row.repo else ""
    pinned = revision or row.revision
    settings = {**row.settings, **given}
    behind = "&".join(f"{key}={value}" for key, value in settings.items())
    return f"{row.adapter}{model}{pinned and f'@{pinned}'}{behind and f'?{behind}'}"


_KINDS = {Role.I2T: "an I2T system", Role.T2I: "a T2I system", Role.CODEC: "a codec"}


def _unknown(name: str) -> str:
    near = near_names(name)
    hint = f"did you mean {', '.join(near)}? " if near else ""
    return (
        f"no system is called {name!r}; {hint}`cmc systems` lists the names, and any other model "
        "is written ADAPTER:MODEL, for example diffusers:owner/name"
    )


def _require_runnable(row: NamedSystem, given: Mapping[str, str]) -> None:
    """Refuse a row that stands for nothing that can be run, and say what can be done instead."""
    if row.status is Readiness.READY:
        return
    if row.status is Readiness.NEEDS_SERVER:
        if row.repo and "base_url" in given:
            return
        raise ModelError(
            f"{row.name} runs only on a server with an OpenAI-compatible endpoint: "
            f"{row.adapter}:{row.repo or 'MODEL'}?base_url=http://HOST:PORT/v1, "
            f"or give its captions as file:CAPTIONS.csv. {row.notes}"
        )
    if row.status is Readiness.NEEDS_FOLDER:
        raise ModelError(f"{row.name} runs from a folder, as {row.adapter}:FOLDER. {row.notes}")
    reasons = {
        Readiness.UNKNOWN: "cannot be run by name, because it is not known which model it was",
        Readiness.NO_ADAPTER: "has no adapter here",
        Readiness.RETIRED: "was switched off by its provider",
    }
    raise ModelError(
        f"{row.name} {reasons[row.status]}. {row.notes} A model of your choice is written "
        "ADAPTER:MODEL"
    )


def split_pinned(value: str) -> tuple[str, str, str]:
    """Return the path, the name and the revision that a setting of `MODEL_SETTINGS` holds.

    The path is empty for a Hub id.
    """
    model, _, revision = value.rpartition("@")
    path = Path(model)
    return (model, path.name, revision) if path.is_dir() else ("", model, revision)


def split_settings(text: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the question mark, and the settings behind it.

    Raises:
        ModelError: a setting is not `name=value`, or comes twice.
    """
    written, mark, behind = text.partition("?")
    settings: dict[str, str] = {}
    for part in behind.split("&") if mark else ():
        name, equals, value = part.partition("=")
        if not (name and equals) or name in settings:
            raise ModelError(f"{part!r} in {text!r} is no setting; wanted ?name=value&name=value")
        settings[name] = value
    return written, settings


def typed(system: System) -> str:
    """Return the text that pins a system, with its path where it lies on this machine."""
    model = system.path or system.model
    adapter = system.adapter.replace("_", "-")
    written = f"{adapter}:{model}" if model else adapter
    if system.revision and not system.path:
        written += f"@{system.revision}"
    behind = "&".join(f"{name}={value}" for name, value in system.settings.items())
    return written + (f"?{behind}" if behind else "")


def _quality(codec: str, text: str) -> str:
    """Return a codec's quality as it is counted: `010` would be another row than `10`."""
    if not (text.isascii() and text.isdecimal()):
        raise ModelError(f"{codec}:{text} names no quality; wanted {codec}:NUMBER")
    return text.lstrip("0") or "0"


def _require_model(adapter: str, model: str) -> None:
    """Refuse an adapter without what it runs, and a model where there is none to run."""
    if adapter in WITHOUT_MODEL and model:
        raise ModelError(f"{adapter} loads no model, and {model!r} is named; wanted {adapter}")
    if model or adapter in WITHOUT_MODEL:
        return
    examples = {"file": "file:CAPTIONS.csv", **{n: f"{n}:NAME" for n in ENDPOINT_ADAPTERS}}
    raise ModelError(
        f"{adapter} names no model; wanted "
        + examples.get(adapter, f"{adapter}:owner/name or {adapter}:FOLDER")
    )


def _pin_model(model: str, revision: str) -> tuple[str, str, str]:
    """Return a model's name, its exact version, and where it lies; empty for a Hub id."""
    path = local_path(model)
    if path.is_file():
        return path.name, _hash_here(path, revision), str(path.resolve())
    if path.is_dir():
        return path.resolve().name, _hash_here(path, revision), str(path.resolve())
    if not is_hub_id(model):
        raise ModelError(f"{model!r} is neither a file nor a folder here nor a Hub id `owner/name`")
    return model, _commit_of(model, revision), ""


def _hash_here(path: Path, revision: str) -> str:
    """Return the hash of what lies here, which is all the revision that it can have."""
    if revision and not is_commit(revision):
        raise ModelError(
            f"{path} lies on this machine and has no revision {revision!r}: it is pinned by its "
            f"content; leave out @{revision}, or name a Hub id"
        )
    if path.is_dir():
        require_safetensors(path)
    found = _hash_of(path)
    if revision not in ("", found):
        raise ModelError(
            f"{path} has the content {found}, wanted {revision}; give the folder of that content, "
            "or leave out what stands behind the @"
        )
    return found


def _hash_of(path: Path) -> str:
    return hash_folder(path) if path.is_dir() else hash_file(path)


def _pin_setting(value: str) -> str:
    name, commit, path = _pin_model(*split_revision(value))
    return f"{path or name}@{commit}"


def _commit_of(model: str, revision: str) -> str:
    if is_commit(revision):
        return revision
    from huggingface_hub import HfApi

    try:
        commit = HfApi().model_info(model, revision=revision or None, timeout=20).sha
    except hub_errors() as error:
        raise ModelError(
            f"the commit of {model!r} cannot be looked up ({type(error).__name__}); check the id "
            "and the network, or give a folder, or the 40-digit commit as "
            f"{model}@COMMIT"
        ) from error
    if commit is None:
        raise ModelError(f"the Hub names no commit for {model!r}")
    return commit
