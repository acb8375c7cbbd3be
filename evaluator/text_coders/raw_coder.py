"""The caption's UTF-8 bytes as they are."""

from protocol.errors import BitstreamError


def encode(text: bytes) -> bytes:
    """Return the caption unchanged."""
    return text


def decode(payload: bytes, limit: int) -> bytes:
    """Return the payload unchanged."""
    if len(payload) > limit:
        raise BitstreamError(f"a caption of {len(payload):,} bytes; at most {limit:,} are allowed")
    return payload
