"""Times as the records hold them."""

from datetime import UTC, datetime


def now() -> str:
    """Return the time as UTC, ISO 8601, to the millisecond."""
    return to_text(datetime.now(UTC))


def to_text(time: datetime) -> str:
    """Return a time as the records hold it."""
    text = time.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Return the time that a record holds."""
    return datetime.fromisoformat(text)


def is_time(text: str) -> bool:
    """Return whether a text is a time exactly as the records hold it."""
    try:
        return to_text(from_text(text)) == text
    except (ValueError, OverflowError):
        return False
