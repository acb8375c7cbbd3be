"""What a person filled in on the Submit page, before anything is looked up."""

import re
from dataclasses import dataclass

from protocol.declared import DECLARED
from protocol.errors import InputError
from protocol.rules import TRACKS, Mode, Role
from protocol.systems import ENDPOINT_ADAPTERS
from submission.caption_files import ADAPTER as CAPTIONS
from submission.rules import BOARDS
from submission.served import served_by
from submission.systems import (
    MODEL_SETTINGS,
    adapter_of,
    is_hub_id,
    resolve,
    split_revision,
    split_settings,
)
from submission.wording import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a person filled in, as it was sent."""

    role: str
    i2t: str
    t2i: str
    bench: str
    """One of `open_benches`."""
    modes: str = ""
    """With commas between; empty asks for all that the systems can do."""
    gpu: str = "a100"
    captions: str = ""
    """A caption file in base64, which then is the I2T half."""
    captions_name: str = ""
    paper: str = ""
    code: str = ""
    trained_on: str = ""
    variants_tried: str = ""
    comment: str = ""


def role_asked(text: str) -> Role:
    """Return which half is compared.

    Raises:
        InputError: it is none of the two.
    """
    if text not in (Role.I2T, Role.T2I):
        raise InputError(f"{shown(text, 20)!r} cannot be compared here; choose T2I or I2T")
    return Role(text)


def declared_of(form: Form) -> dict[str, str]:
    """Return what is shown with the row, as far as it was filled in."""
    return {name: text for name in DECLARED if (text := getattr(form, name).strip())}


def refuse_paths(text: str) -> None:
    """Refuse what names a file of the server's machine: the page takes Hub ids and known names.

    Raises:
        InputError: with what to write instead.
    """
    if not text:
        raise InputError("both an I2T and a T2I model are needed")
    written, settings = split_settings(resolve(text))
    adapter = adapter_of(text).replace("_", "-")
    served = served_by().get(adapter)
    model, _ = split_revision(written.partition(":")[2])
    # A server's model may be called anything; whether it is asked is a check. Captions are no
    # model of the Hub, whatever their file is called.
    is_named = adapter in ENDPOINT_ADAPTERS or (adapter != CAPTIONS and is_hub_id(model))
    if served is None or (model and not is_named) or (served.has_weights and not model):
        raise InputError(
            f"{shown(text, 80)!r} is nothing that can be submitted here; write ADAPTER:OWNER/NAME, "
            "for example diffusers:segmind/SSD-1B, or a name that the list offers"
        )
    for name, value in settings.items():
        is_second = name in MODEL_SETTINGS and value
        if re.match(r"[/~\\]|.*\.\.", value) or (
            is_second and not is_hub_id(split_revision(value)[0])
        ):
            raise InputError(f"{name}={shown(value, 60)!r} names a file; here a model is a Hub id")


def modes_asked(role: Role, text: str) -> tuple[Mode, ...]:
    """Return the modes that a form asks for, in the board's order; none where it asks for none.

    Raises:
        InputError: the board has no such mode.
    """
    asked = set(filter(None, text.split(",")))
    board = TRACKS[BOARDS[role]].modes
    if asked - set(board):
        there = ", ".join(board)
        raise InputError(f"no mode {shown(min(asked - set(board)), 20)!r} here; there are {there}")
    return tuple(mode for mode in board if mode in asked)
