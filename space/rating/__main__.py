"""What `cmc rate` starts; the settings travel by environment variables."""

import os
import sys
from pathlib import Path

from protocol.errors import CMCError
from space.rating.page import serve


def main() -> int:
    """Serve the page until stopped."""
    try:
        serve(
            Path(os.environ["CMC_RATE_DISTORTED"]),
            Path(os.environ["CMC_RATE_REFERENCES"]),
            Path(os.environ["CMC_RATE_RATINGS"]),
            host=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
            port=int(os.environ.get("GRADIO_SERVER_PORT", "7861")),
            announce=_announce,
        )
    except (CMCError, OSError) as error:
        print(f"cmc rate: {error}", file=sys.stderr)  # noqa: T201 - this is a program
        return 1
    return 0


def _announce(address: str) -> None:
    print(f"the rating page is on {address}  (Ctrl+C stops it)", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
