"""What the Hub says of a model, in few calls.

One for the commit and the files, one for each small JSON file, and one for the header of a weight
file, which tells how many bytes a parameter takes.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from submission.facts import FileFact, ModelFacts, Trouble, by_variant, main_files
from submission.hub_errors import hub_errors
from submission.model_configs import MAX_CONFIG_BYTES, Configs, config_names, read_configs

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ModelInfo

_TIMEOUT_SECONDS = 20


def hub_facts(
    model: str, revision: str = "", *, token: str | None = None, endpoint: str | None = None
) -> ModelFacts:
    """Return what the Hub says of a model; a failure is a fact and no error.

    Args:
        model: `owner/name`.
        revision: branch, tag or commit; empty for the newest commit.
        token: None uses the one that `hf auth login` left, if any.
        endpoint: address of the Hub; None is the one of `HF_ENDPOINT`.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    try:
        info = api.model_info(
            model,
            revision=revision or None,
            files_metadata=True,
            securityStatus=True,
            timeout=_TIMEOUT_SECONDS,
        )
        files = _files_of(info)
        configs = _read_configs(api, info, files)
        files = _with_parameters(api, info, files)
    except hub_errors() as error:
        return ModelFacts(
            name=model,
            is_local=False,
            asked_revision=revision,
            trouble=_trouble_of(error),
            trouble_detail=f"{api.endpoint} answered {_first_line(error)}",
        )
    return _facts_of(info, revision, files, configs)


def _facts_of(
    info: "ModelInfo", revision: str, files: tuple[FileFact, ...], configs: Configs
) -> ModelFacts:
    card = info.card_data
    licence = _word(card.get("license")) if card else ""
    if licence == "other" and card:
        licence = _word(card.get("license_name")) or licence
    trouble = Trouble.BAD_CONFIG if configs.broken else Trouble.NONE
    return ModelFacts(
        name=info.id,
        is_local=False,
        asked_revision=revision,
        commit=info.sha or "",
        trouble=Trouble.DISABLED if info.disabled else trouble,
        trouble_detail=", ".join(configs.broken),
        is_private=bool(info.private),
        gated=str(info.gated or ""),
        licence=licence,
        base_models=_words(card.get("base_model")) if card else (),
        pipeline_class=configs.pipeline_class,
        model_type=configs.model_type,
        more_inputs=configs.more_inputs,
        remote_code=configs.remote_code,
        files=files,
        flagged_files=_flagged(getattr(info, "security_repo_status", None)),
    )


def _files_of(info: "ModelInfo") -> tuple[FileFact, ...]:
    return tuple(
        FileFact(
            name=sibling.rfilename,
            file_bytes=sibling.size or 0,
            content_hash=sibling.lfs.sha256 if sibling.lfs else f"git:{sibling.blob_id}",
        )
        for sibling in info.siblings or ()
    )


def _with_parameters(
    api: "HfApi", info: "ModelInfo", files: tuple[FileFact, ...]
) -> tuple[FileFact, ...]:
    """Return the files with the parameters of the main network's lightest variant.

    One file's header is read; the others of a variant take as many bytes a parameter as that one.
    """
    from huggingface_hub.errors import SafetensorsParsingError

    main = main_files(file for file in files if file.is_weights)
    groups = by_variant(file for file in main if file.suffix == ".safetensors" and file.file_bytes)
    if not groups:
        return files
    lightest = min(groups, key=lambda group: sum(file.file_bytes for file in group))
    first = lightest[0]
    try:
        header = api.parse_safetensors_file_metadata(
            info.id, first.name, revision=info.sha, timeout=_TIMEOUT_SECONDS
        )
        count = sum(header.parameter_count.values())
    except (SafetensorsParsingError, ValueError, TypeError, AttributeError, RecursionError):
        # What a stranger wrote there may be no header, or one of another shape.
        return files
    if not 0 < count <= 8 * first.file_bytes:
        return files
    share = count / first.file_bytes
    return tuple(
        replace(file, parameters=round(share * file.file_bytes)) if file in lightest else file
        for file in files
    )


def _read_configs(api: "HfApi", info: "ModelInfo", files: Sequence[FileFact]) -> Configs:
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils._http import hf_raise_for_status

    sizes = {file.name: file.file_bytes for file in files}
    headers = build_hf_headers(token=api.token)

    def read(name: str) -> bytes:
        if sizes[name] > MAX_CONFIG_BYTES:
            return b""
        url = hf_hub_url(info.id, name, revision=info.sha, endpoint=api.endpoint)
        answer = get_session().get(url, headers=headers, timeout=_TIMEOUT_SECONDS)
        hf_raise_for_status(answer)
        return bytes(answer.content)

    names = config_names(sizes)
    with ThreadPoolExecutor(4) as threads:
        contents = dict(zip(names, threads.map(read, names), strict=True))
    return read_configs(names, contents.__getitem__)


def _trouble_of(error: Exception) -> Trouble:
    from huggingface_hub import errors

    for kind, trouble in (
        (errors.DisabledRepoError, Trouble.DISABLED),
        # A gated repository's error is also one of a missing repository.
        (errors.GatedRepoError, Trouble.NO_ACCESS),
        (errors.RepositoryNotFoundError, Trouble.NOT_FOUND),
        (errors.RevisionNotFoundError, Trouble.NO_REVISION),
    ):
        if isinstance(error, kind):
            return trouble
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        status = error.response.status_code
        return {401: Trouble.NO_ACCESS, 403: Trouble.NO_ACCESS, 404: Trouble.NOT_FOUND}.get(
            status, Trouble.UNREACHABLE
        )
    return Trouble.UNREACHABLE


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:160] if text else ''}"


def _flagged(status: Any) -> tuple[str, ...]:
    """Return the files that the Hub's scanners found unsafe, where they were asked."""
    issues = status.get("filesWithIssues", ()) if isinstance(status, dict) else ()
    return tuple(str(item.get("path", ""))[:200] for item in issues if isinstance(item, dict))


def _word(value: object) -> str:
    words = _words(value)
    return words[0] if words else ""


def _words(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(item[:100] for item in values if isinstance(item, str) and item)[:8]
