"""Records as the JSON that travels to browsers."""

import json
from typing import Any

from protocol.jsonable import to_plain


def plain_json(value: Any) -> bytes:
    """Return a record as compact JSON; a number that is none is refused."""
    # The encoder asks for records alone, so long lists of numbers are not walked twice.
    text = json.dumps(
        value, default=to_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode()
