"""The Space's entry: shows the published rows, and those of the store that CMC_STORE names."""

import os
from pathlib import Path

from space.site import serve


def main() -> None:
    """Serve the page where the Space's environment says, or on this machine's port 7860."""
    store = os.environ.get("CMC_STORE")
    serve(
        Path(store) if store else None,
        os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
    )


if __name__ == "__main__":
    main()
