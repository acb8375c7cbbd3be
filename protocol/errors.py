"""The errors of this project, in one small tree.

CMCError
├── InputError          something a user gave cannot be used
│   ├── PictureError    a picture is missing, damaged or of the wrong size
│   ├── CaptionError    a caption file or a caption cannot be used
│   ├── ModelError      an adapter is unknown, or a model cannot be loaded
│   ├── WeightsError    an indicator's weights are missing or not the ones wanted
│   └── RecordError     a record's JSON does not have the form it must have
├── BitstreamError      a `.cmc` file cannot be read
├── CodecError          ffmpeg or another codec refused or answered nonsense
├── DecodeError         a decoder's output cannot be used (NaN, black by a safety checker)
├── DeviceLost          the machine's GPU no longer answers; also an OSError
└── StoreError          a store refused an operation (lost claim, unknown request)

The library raises; only the command line and the worker catch.
"""


class CMCError(Exception):
    """Root of the tree; its text is written for the person at the command line."""


class InputError(CMCError):
    """Something a user gave cannot be used."""


class PictureError(InputError):
    """A picture is missing, damaged or of the wrong size."""


class CaptionError(InputError):
    """A caption file, or a caption, cannot be used."""


class ModelError(InputError):
    """An adapter is unknown, or a model cannot be loaded."""


class WeightsError(InputError):
    """An indicator's weights are missing or not the ones wanted."""


class RecordError(InputError):
    """A record's JSON does not have the form it must have."""


class BitstreamError(CMCError):
    """A `.cmc` file cannot be read."""


class CodecError(CMCError):
    """A codec refused its input or answered nonsense."""


class DecodeError(CMCError):
    """A decoder's output for one picture cannot be used; `code` says why, from a closed list."""

    def __init__(self, code: str, message: str) -> None:
        """Keep `code` beside the message.

        It is `NAN_OUTPUT`, `NSFW_FILTERED`, `WRONG_SIZE`, `NO_START`, `EMPTY_CAPTION`,
        `OUT_OF_MEMORY`, `NAN_SCORE` or `WORKER_LOST`.
        """
        super().__init__(message)
        self.code = code


class DeviceLost(CMCError, OSError):
    """A GPU no longer answers: a fault of the machine, which leaves a request for another one."""


class StoreError(CMCError):
    """A store refused an operation."""
