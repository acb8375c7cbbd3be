"""Bringing gated models into the cache of the machine before the process that runs them starts.

That process has no token. Downloading runs no code, so this one, which has a token, does it; what
is open to everybody the other fetches for itself.
"""

from protocol.errors import ModelError
from protocol.records import Request, System
from submission.served import served_by

WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.pth", "*.pt", "*.ckpt")


def fetch_restricted(request: Request) -> list[str]:
    """Download a request's gated and private models at their commits; return their ids.

    Raises:
        ModelError: this process's token may not read one of them.
    """
    fetched = []
    for system in (request.i2t, request.t2i):
        if system is not None and _is_on_hub(system) and _is_restricted(system):
            _fetch(system)
            fetched.append(system.model)
    return fetched


def _is_on_hub(system: System) -> bool:
    served = served_by().get(system.adapter.replace("_", "-"))
    return bool(served and served.has_weights and system.model and not system.path)


def _is_restricted(system: System) -> bool:
    import httpx2
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if get_token() is None:
        return False
    try:
        info = HfApi().model_info(system.model, revision=system.revision, timeout=20)
    except (HfHubHTTPError, OfflineModeIsEnabled, httpx2.HTTPError):
        # What cannot be asked about may lie in the cache; the run will say if it does not.
        return False
    return bool(info.gated or info.private)


def _fetch(system: System) -> None:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        snapshot_download(system.model, revision=system.revision, allow_patterns=list(WANTED))
    except (HfHubHTTPError, httpx2.HTTPError) as error:
        raise ModelError(
            f"{system.model} is gated or private, and this worker's token may not read it "
            f"({type(error).__name__}); ask its owner to let the evaluator in"
        ) from error
