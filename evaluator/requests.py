"""From a person's choice of systems to a Request that can be run."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from evaluator.captioners import CaptionerModule, find_captioner
from evaluator.codecs import check_quality
from evaluator.decoders import DecoderModule, find_decoder
from evaluator.pictures import fingerprint_images
from protocol.boards import RELEASED_DATASET
from protocol.errors import InputError
from protocol.jsonable import to_json
from protocol.records import Request, System
from protocol.rules import TRACKS, Mode, Role, Track
from protocol.versions import find_protocol
from submission.settings import read_settings
from submission.store import now
from submission.systems import adapter_of, pin_system, resolve
from submission.wording import shown

_NO_UTF8 = re.compile("[\udc80-\udcff]")
"""What Python makes of a file name's bytes that are no letters."""
_MODES_OF_ROLE = {
    Role.T2I: TRACKS[Track.T2I].modes,
    Role.I2T: TRACKS[Track.I2T].modes,
    Role.CODEC: TRACKS[Track.CODEC].modes,
}


def make_request(
    *,
    role: Role,
    i2t: str | None,
    t2i: str | None,
    codec: str | None,
    modes: Sequence[Mode],
    protocol: str,
    images: Path,
    dataset: str,
    submitter: str,
) -> Request:
    """Return a request with every system pinned.

    Args:
        role: what is compared; given by `codec` alone when there is one.
        i2t: `ADAPTER:MODEL[@REVISION]` or a name of the registry; None without captions.
        t2i: the same; `start-image` is the adapter without a model.
        codec: `vvc:53`: a codec of its own, without I2T and T2I.
        modes: none asks for all that the role has and the T2I model can do.
        protocol: a protocol version's name.
        images: the folder of ground truth that the result will be about.
        dataset: what to call these pictures.
        submitter: who asks.

    Raises:
        InputError: a name is unknown, a model cannot be pinned, or the parts do not go together.
    """
    find_protocol(protocol)
    if codec is not None:
        if i2t or t2i:
            raise InputError("--codec is a system of its own; leave out --i2t and --t2i")
        require_codec_modes(modes)
        role = Role.CODEC
        adapter, _, quality = resolve(codec, Role.CODEC).partition(":")
        check_quality(adapter, quality)
    elif t2i is None:
        raise InputError("name a T2I model with --t2i (start-image needs no weights), or a --codec")
    request = Request(
        role=role,
        i2t=_pin(i2t, Role.I2T, find_captioner),
        t2i=_pin(t2i, Role.T2I, find_decoder),
        codec=pin_system(codec) if codec else None,
        modes=tuple(modes) or _default_modes(role, t2i),
        protocol=protocol,
        dataset=dataset,
        dataset_sha256=fingerprint_images(images),
        submitter=submitter,
        submitted_at=now(),
    )
    _require_text(request)
    return request


def _require_text(request: Request) -> None:
    """Refuse names of files that no record can hold, before anything is computed for one."""
    for line in to_json(request).split("\n"):
        if _NO_UTF8.search(line):
            raise InputError(
                f"a name is no text in UTF-8: {shown(line.strip())}; rename the file or folder, or "
                "call the pictures something else with --dataset"
            )


def require_codec_modes(modes: Sequence[Mode]) -> None:
    """Refuse what a codec cannot do.

    Raises:
        InputError: a mode sends or needs more than a picture.
    """
    able = _MODES_OF_ROLE[Role.CODEC]
    missing = [mode for mode in modes if mode not in able]
    if missing:
        raise InputError(
            f"a codec sends a picture and cannot do {', '.join(missing)}; "
            f"ask for {', '.join(able)} mode, or for none"
        )


def _pin(
    text: str | None, role: Role, find: Callable[[str], CaptionerModule | DecoderModule]
) -> System | None:
    if text is None:
        return None
    resolved = resolve(text, role)
    adapter = find(adapter_of(resolved))
    system = pin_system(resolved)
    read_settings(system, adapter.SETTINGS)
    return system


def _default_modes(role: Role, t2i: str | None) -> tuple[Mode, ...]:
    able = find_decoder(adapter_of(t2i)).MODES if t2i else frozenset(Mode)
    return tuple(mode for mode in _MODES_OF_ROLE[role] if mode in able)


def dataset_name(images: Path, given: str | None) -> str:
    """Return what to call a folder of pictures: the name given, or the folder's own.

    Raises:
        InputError: the name is the benchmark's own, whose pictures must then be its 1,000.
    """
    name = given or images.resolve().name
    if name == RELEASED_DATASET and len(list(images.glob("*.png"))) != 1000:
        raise InputError(
            f"{images} does not hold the 1,000 pictures of {RELEASED_DATASET}; "
            "give these another name with --dataset"
        )
    return name
