"""What a server that is busy asks for: how long it wants to be left alone."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(header: str) -> float | None:
    """Return the seconds of a Retry-After header, from 0; None where it holds none.

    Args:
        header: seconds or a date. One without a zone, as HTTP's old form has it, is UTC.
    """
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header)
    # Python reads `nan` as a number too.
    return None if math.isnan(seconds) else max(seconds, 0.0)


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
