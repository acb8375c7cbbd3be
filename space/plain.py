"""Records as the JSON that travels to browsers."""

import json
from typing import Any

from protocol.jsonable import to_plain
from protocol.records import Request, Result


def plain_json(value: Any) -> bytes:
    """Return a record as compact JSON; a number that is none is refused."""
    # The encoder asks for records alone, so long lists of numbers are not walked twice.
    text = json.dumps(
        value, default=to_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode()


def request_names(request: Request) -> dict[str, str]:
    """Return what tells people which request it is."""
    return {
        "request_id": request.request_id,
        "model": request.label,
        "partner": request.partner,
        "role": str(request.role),
    }


def public_record(result: Result) -> dict[str, Any]:
    """Return a result without the folders of the machine that it was asked for on.

    They decide nothing, and gradio's client takes whatever has a `path` for a file to fetch.
    """
    plain: dict[str, Any] = to_plain(result)
    request = result.request
    for part, system in (("i2t", request.i2t), ("t2i", request.t2i), ("codec", request.codec)):
        plain["request"][part] = to_plain(system.identity) if system else None
    return plain
