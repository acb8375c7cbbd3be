"""Image models behind an endpoint that speaks OpenAI's `/images` dialect.

Text mode asks for a new picture (`/images/generations`); the other modes send the start picture
with the caption, or the protocol's image prompt, as the instruction (`/images/edits`). There is no
strength, no step and no seed: the same file gives another picture each time, and each is cached.

The key is read from OPENAI_API_KEY and goes to OpenAI, or to the address in OPENAI_BASE_URL.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Account, Decoder, DecodingStopped, Received
from evaluator.decoders._endpoint import OPENAI, Endpoint, EndpointError, Refused
from evaluator.decoders._painting import start_at, text_size
from evaluator.pictures import open_picture, png_bytes
from protocol.errors import DecodeError, ModelError, PictureError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol
from submission.settings import Value, read_settings

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = frozenset(Mode)
IN_BATCHES = False

SETTINGS: Mapping[str, Value] = {
    "base_url": OPENAI,
    # What gpt-image-1 paints; free: any multiple of 16 up to a shape of 3:1, as gpt-image-2 does.
    "sizes": "1024x1024,1536x1024,1024x1536",
    "instruction": "{caption}",  # of pixel and full mode
    "quality": "",  # passed on when given
    "response_format": "",  # b64_json for servers whose default is an address
    "max_calls": 0,  # 0: any number; repeats count
    "tries": 6,
    "timeout": 300.0,
}

_UNIT, _WIDEST = 16, 3.0
"""What free sizes are a multiple of, and the longest shape."""


class ImageEndpoint:
    """A model that is asked over HTTP, one picture a call."""

    def __init__(self, model: str, settings: Mapping[str, Any], protocol: Protocol) -> None:
        """Check the settings; nothing is sent.

        Raises:
            ModelError: a setting cannot be used, or the key is not set.
        """
        self._model = model
        self._protocol = protocol
        self._instruction = settings["instruction"]
        self._sizes = _read_sizes(settings["sizes"])
        self._extra = {
            name: settings[name] for name in ("quality", "response_format") if settings[name]
        }
        self._endpoint = Endpoint(
            settings["base_url"],
            tries=max(1, settings["tries"]),
            max_calls=settings["max_calls"],
            timeout=settings["timeout"],
        )
        self._answered: dict[str, str] = {}

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Ask for one picture after the other."""
        done: list[Image | DecodeError] = []
        for item in batch:
            try:
                done.append(self._ask(item))
            except EndpointError as error:
                raise DecodingStopped(str(error), done) from error
        return done

    def account(self, item: Received) -> Account:
        """Return the size asked for, and who answered when: there is no seed to ask again with."""
        width, height = self.size_for(item)
        details = {"seed": "none", "endpoint": self._endpoint.base_url, **self._answered}
        return Account(width=width, height=height, details=details)

    def size_for(self, item: Received) -> tuple[int, int]:
        """Return the size to ask for: of those there are, the one nearest in shape."""
        if self._sizes:
            shape = math.log(item.width / item.height)
            return min(self._sizes, key=lambda size: abs(math.log(size[0] / size[1]) - shape))
        width, height = text_size(item, self._protocol.longest_side, _UNIT)
        least_width, least_height = (
            math.ceil(side / _WIDEST / _UNIT) * _UNIT for side in (height, width)
        )
        return max(width, least_width), max(height, least_height)

    def _ask(self, item: Received) -> "Image | DecodeError":
        from PIL import Image

        size = self.size_for(item)
        try:
            picture = self._read(self._send(item, size))
        except Refused as error:
            return DecodeError("NSFW_FILTERED", f"the endpoint declines the request: {error}")
        self._answered = {
            "answered_size": f"{picture.width}x{picture.height}",
            "answered_on": datetime.now(UTC).date().isoformat(),
        }
        return picture.resize((item.width, item.height), Image.Resampling.BICUBIC)

    def _send(self, item: Received, size: tuple[int, int]) -> Any:
        form = {"model": self._model, "prompt": self._prompt(item), "n": 1}
        form |= {"size": f"{size[0]}x{size[1]}", **self._extra}
        if not item.mode.has_start:
            return self._endpoint.post("/images/generations", json=form)
        # Scaled here as the answer will be scaled back, so that nothing moves between the two.
        start = png_bytes(start_at(item, size))
        form["n"] = "1"
        return self._endpoint.post(
            "/images/edits", data=form, files={"image": ("start.png", start, "image/png")}
        )

    def _prompt(self, item: Received) -> str:
        if item.caption is None:
            return self._protocol.image_prompt
        if not item.mode.has_start:
            return item.caption
        return str(self._instruction).replace("{caption}", item.caption)

    def _read(self, answer: Any) -> "Image":
        where = self._endpoint.base_url
        try:
            # Some servers put an address's head before it, and some break its lines.
            text = "".join(answer["data"][0]["b64_json"].rpartition(",")[2].split())
            # Viewers show what a model leaves transparent on white.
            return open_picture(base64.b64decode(text, validate=True), f"{where}'s answer", "white")
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            said = answer.get("error") if isinstance(answer, dict) else None
            raise EndpointError(
                f"{where} answered with an error: {str(said)[:200]}"
                if said
                else f"{where} answered without data[0].b64_json; servers whose default is an "
                "address may need response_format=b64_json"
            ) from error
        except PictureError as error:
            raise EndpointError(str(error)) from error


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return what is sent beside the file's contents."""
    del device
    return {
        "longest_side": protocol.longest_side,
        "image_prompt": protocol.image_prompt if mode is Mode.IMAGE else "",
    }


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Check the settings and the key; nothing is loaded and nothing is sent."""
    del device
    if not system.model:
        raise ModelError("openai-image names no model; wanted openai-image:MODEL")
    return ImageEndpoint(system.model, read_settings(system, SETTINGS), protocol)


def _read_sizes(text: str) -> list[tuple[int, int]]:
    """Return the sizes of `1024x1024,1536x1024`; none for `free`."""
    if text == "free":
        return []
    sizes = []
    for part in text.split(","):
        width, _, height = part.partition("x")
        if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
            raise ModelError(f"sizes={text}: wanted free, or sizes like 1024x1024,1536x1024")
        sizes.append((int(width), int(height)))
    return sizes
