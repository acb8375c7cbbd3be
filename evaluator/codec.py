"""Everything that is ranked is a codec: a picture to bytes, and bytes back to a picture.

codec = open_codec(mode=Mode.FULL, i2t="file:captions.csv", t2i="start-image")
data = codec.encode(picture, name="NSI_pgc_000.png")
painted = codec.decode(data)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from evaluator.bitstream import check_size
from evaluator.captioners import Caption, Captioner, NamedPicture, find_captioner
from evaluator.codecs import check_quality, load_codec
from evaluator.decode import START_IMAGE
from evaluator.decoders import Decoder, find_decoder
from evaluator.devices import choose_device
from evaluator.encode import CodecSetting, compose
from evaluator.pictures import to_rgb
from evaluator.receive import receive
from evaluator.text_coders import load_text_coder
from evaluator.text_prior import TextPrior
from protocol.errors import CaptionError, DecodeError, InputError
from protocol.records import System
from protocol.rules import Mode, Role
from protocol.versions import Protocol as ProtocolVersion
from protocol.versions import find_protocol
from submission.systems import adapter_of, pin_system, resolve

if TYPE_CHECKING:
    from PIL.Image import Image


class Codec(Protocol):
    """Both directions of anything on the board."""

    def encode(self, picture: "Image", name: str = "") -> bytes:
        """Return the `.cmc` file of a picture; `name` is what a caption file knows it by."""
        ...

    def decode(self, data: bytes) -> "Image":
        """Return the picture of a file, of the original's exact size, from its bytes alone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionGiven:
    """A captioner that says what a person typed."""

    text: str

    def caption(self, batch: Sequence[NamedPicture]) -> list[Caption]:
        """Return the text for every picture."""
        return [Caption(text=self.text)] * len(batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEncoder:
    """The encoder's side: what is sent of a picture in one mode."""

    mode: Mode
    setting: CodecSetting
    text_coder: str
    captioner: Captioner | None
    """For every mode but image."""
    text_prior: TextPrior | None = None
    """For the text coder that takes one."""

    def caption(self, picture: "Image", name: str = "") -> str:
        """Return what is said of a picture.

        Raises:
            CaptionError: there is no I2T model.
        """
        if self.captioner is None:
            raise CaptionError(f"{self.mode} mode sends a caption, and no I2T model is given")
        (caption,) = self.captioner.caption([NamedPicture(name, picture)])
        return caption.text

    def encode(self, picture: "Image", name: str = "") -> bytes:
        """Return the `.cmc` file.

        Raises:
            PictureError: the picture has transparent pixels, or more than 16 bits a channel.
            BitstreamError: it has a size that no file may have.
        """
        # Before hours are spent on a picture that no file can carry.
        check_size(*picture.size)
        picture = to_rgb(picture, name or "the picture")
        caption = self.caption(picture, name) if self.mode.has_caption else None
        image = None
        if self.mode.has_image:
            stream = load_codec(self.setting.codec).encode(picture, self.setting.quality)
            image = self.setting.codec, stream
        stream_of_all = compose(
            picture,
            self.mode,
            caption=caption,
            text_coder=self.text_coder,
            image=image,
            text_prior=self.text_prior,
        )
        return stream_of_all.pack()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDecoder:
    """The decoder's side: a T2I model under a protocol."""

    system: System
    protocol: ProtocolVersion
    modes: frozenset[Mode]
    decoder: Decoder
    text_prior: TextPrior | None = None

    def decode(self, data: bytes) -> "Image":
        """Return the picture.

        Raises:
            BitstreamError: the file cannot be read.
            InputError: the file is of a mode that the T2I model has not.
            DecodeError: the model made nothing that can be used.
        """
        received = receive(data, self.protocol, self.text_prior)
        if received.mode not in self.modes:
            able = ", ".join(mode for mode in Mode if mode in self.modes)
            raise InputError(
                f"a file of {received.mode} mode, which {self.system.label} cannot decode; "
                f"it does {able}"
            )
        (outcome,) = self.decoder.decode([received])
        if isinstance(outcome, DecodeError):
            raise outcome
        return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCodec:
    """An encoder and a decoder that were made for each other."""

    encoder: FileEncoder
    decoder: FileDecoder

    def encode(self, picture: "Image", name: str = "") -> bytes:
        """Return the `.cmc` file."""
        return self.encoder.encode(picture, name)

    def decode(self, data: bytes) -> "Image":
        """Return the picture."""
        return self.decoder.decode(data)


def open_codec(
    *,
    mode: Mode | str = Mode.IMAGE,
    i2t: str | None = None,
    t2i: str = "start-image",
    codec: str | None = None,
    text_coder: str | None = None,
    text_prior: TextPrior | None = None,
    protocol: str = "cmc-1",
    device: str = "auto",
) -> Codec:
    """Return a codec, its models loaded.

    Args:
        mode: what is sent; a mode or its name.
        i2t: `ADAPTER:MODEL[@REVISION]` or a name of the registry, for every mode but image.
        t2i: the same.
        codec: `vvc:53`: the image codec and its quality; the protocol's VVC when not given.
        text_coder: how a caption becomes bytes; the protocol's coder when not given.
        text_prior: for the text coder `ppmd`, of `evaluator.text_prior.read_prior`.
        protocol: a protocol version's name.
        device: `cpu`, `cuda` or `auto`.

    Raises:
        InputError: a name is unknown or a model cannot be loaded.
    """
    if mode not in list(Mode):
        raise InputError(f"no mode {mode!r}; there are {', '.join(Mode)}")
    version = find_protocol(protocol)
    # Its errors name what there is.
    load_text_coder(text_coder or version.text_coder)
    setting = CodecSetting("vvc", version.vvc_qp)
    if codec is not None:
        name, _, quality = codec.partition(":")
        setting = CodecSetting(name, check_quality(name, quality))
    return PairCodec(
        encoder=FileEncoder(
            mode=Mode(mode),
            setting=setting,
            text_coder=text_coder or version.text_coder,
            captioner=open_captioner(i2t, version, device) if i2t else None,
            text_prior=text_prior,
        ),
        decoder=open_decoder(t2i, version, device, text_prior),
    )


def open_captioner(text: str, protocol: ProtocolVersion, device: str) -> Captioner:
    """Return an I2T model, loaded."""
    text = resolve(text, Role.I2T)
    module = find_captioner(adapter_of(text))
    return module.load(pin_system(text), protocol, choose_device(device))


def open_decoder(
    text: str, protocol: ProtocolVersion, device: str, text_prior: TextPrior | None = None
) -> FileDecoder:
    """Return a T2I model, loaded."""
    text = resolve(text, Role.T2I)
    module = find_decoder(adapter_of(text))
    system = pin_system(text)
    # Asking for the device imports torch, which the baseline has no use for.
    place = "cpu" if system.adapter == START_IMAGE.adapter else choose_device(device)
    return FileDecoder(
        system=system,
        protocol=protocol,
        modes=module.MODES,
        decoder=module.load(system, protocol, place),
        text_prior=text_prior,
    )
