"""The Space's entry: shows the published rows, and those of the store that CMC_STORE names."""

import os
import sys

from protocol.errors import CMCError, InputError
from space.server import serve


def main() -> int:
    """Serve the page: to the world inside a Space, elsewhere to this machine alone."""
    store = os.environ.get("CMC_STORE", "")
    host = "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1"  # noqa: S104
    # Empty, it would be every address of this machine.
    host = os.environ.get("GRADIO_SERVER_NAME") or host
    try:
        serve(
            store, host, _port(os.environ.get("GRADIO_SERVER_PORT") or "7860"), announce=_announce
        )
    except (CMCError, OSError) as error:
        print(f"cmc serve: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # While it still read the store.
        return 130
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise InputError(f"GRADIO_SERVER_PORT is {text!r}; wanted a whole number from 0 to 65535")
    return int(text)


def _announce(address: str) -> None:
    print(f"the board is on {address}  (Ctrl+C stops it)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
