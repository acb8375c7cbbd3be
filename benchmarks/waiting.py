"""Models that only wait, for benchmarks of everything around them: `scale.py` and `ray_data.py`."""

import time
from collections.abc import Sequence

from PIL import Image

from evaluator.decoders import Account, Received
from protocol.errors import DecodeError


class WaitingDecoder:
    """A simulated GPU: takes its time, and returns the start picture or a grey one."""

    def __init__(self, seconds: float) -> None:
        """Take `seconds` a picture."""
        self._seconds = seconds

    def decode(self, batch: Sequence[Received]) -> list[Image.Image | DecodeError]:
        """Wait, then answer."""
        time.sleep(self._seconds * len(batch))
        return [item.start or Image.new("RGB", (item.width, item.height), "grey") for item in batch]

    def account(self, item: Received) -> Account:
        """Return the picture's own size."""
        return Account(width=item.width, height=item.height)


class WaitingIndicator:
    """A simulated network: takes its time, and scores every picture the same."""

    def __init__(self, seconds: float) -> None:
        """Take `seconds` a picture."""
        self._seconds = seconds

    def score(
        self, pictures: Sequence[Image.Image], references: Sequence[Image.Image] | None
    ) -> list[float]:
        """Wait, then answer."""
        del references
        time.sleep(self._seconds * len(pictures))
        return [1.0] * len(pictures)


def put_waiting_models(seconds: float) -> None:
    """Let the start picture's decoder take `seconds` a picture, and demo-0's indicators none."""
    from evaluator.decoders import start_image
    from evaluator.indicators import find_indicator

    start_image.load = lambda *_: WaitingDecoder(seconds)
    for name in ("ms_ssim", "piqe"):
        find_indicator(name).load = (  # type: ignore[method-assign]
            lambda *_: WaitingIndicator(0.0)
        )
