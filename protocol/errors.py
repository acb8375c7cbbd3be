"""The errors of this project, in one small tree.

CMCError
├── InputError          something a user gave cannot be used
│   ├── PictureError    a picture is missing, damaged or of the wrong size
│   ├── CaptionError    a caption file or a caption cannot be used
│   ├── ModelError      an adapter is unknown, or a model cannot be loaded
│   ├── WeightsError    an indicator's weights are missing or not the ones wanted
│   ├── RecordError     a record's JSON does not have the form it must have
│   ├── StatisticsError scores are too few, or do not fit together, for what was asked
│   ├── RatingError     viewers' ratings cannot be used
│   ├── SubmissionError a submission is turned away by the checks
│   ├── SignInError     nobody is signed in, or somebody else
│   └── DatasetError    an archive or a dataset folder is broken or not what was expected
├── BitstreamError      a `.cmc` file cannot be read
├── CodecError          ffmpeg or another codec refused or answered nonsense
├── FruitlessError      a run made nothing that could be scored
│   └── SmokeTestError  the three pictures of the smoke test show that the whole run would fail
├── DecodeError         a decoder's output cannot be used (NaN, black by a safety checker)
├── KernelFault         a GPU stopped a model's computation: it would stop it again
├── MachineFault        this machine is at fault and not what was asked; also an OSError
│   ├── DeviceLost      its GPU no longer answers
│   └── OtherPictures   the pictures here are not those of a request; also an InputError
├── JobError            the Hub starts no job
└── StoreError          a store refused an operation (unknown request, wrong state)
    ├── NoStoreError    a folder is no store, or not yet
    ├── LeaseError      a worker no longer holds the request that it wants to write about
    ├── LedgerError     a store's ledger is damaged
    └── HubError        the Hub refused, or could not be reached for a long time

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


class DatasetError(InputError):
    """An archive or a dataset folder is broken or not what was expected."""


class RecordError(InputError):
    """A record's JSON does not have the form it must have."""


class StatisticsError(InputError):
    """Scores are too few, or do not fit together, for the statistics that were asked for."""


class RatingError(InputError):
    """Viewers' ratings cannot be used."""


class SubmissionError(InputError):
    """A submission is turned away by the checks."""


class SignInError(InputError):
    """Nobody is signed in, or somebody else than the submission says."""


class BitstreamError(CMCError):
    """A `.cmc` file cannot be read."""


class CodecError(CMCError):
    """A codec refused its input or answered nonsense."""


class FruitlessError(CMCError):
    """A run made nothing that could be scored."""

    def __init__(self, code: str, message: str) -> None:
        """Keep `code`: that of the pictures, or `FLAT_PICTURES`."""
        super().__init__(message)
        self.code = code


class SmokeTestError(FruitlessError):
    """The three pictures of the smoke test show that the whole run would fail."""


class DecodeError(CMCError):
    """A decoder's output for one picture cannot be used; `code` says why, from a closed list."""

    def __init__(self, code: str, message: str) -> None:
        """Keep `code` beside the message.

        It is `NAN_OUTPUT`, `NSFW_FILTERED`, `WRONG_SIZE`, `NO_START`, `EMPTY_CAPTION`,
        `OUT_OF_MEMORY`, `NAN_SCORE` or `WORKER_LOST`.
        """
        super().__init__(message)
        self.code = code


class KernelFault(CMCError):
    """A GPU stopped a model's computation; its process can use it no more, another one can."""


class MachineFault(CMCError, OSError):
    """Something of this machine is in the way: a worker leaves its request for another one."""


class DeviceLost(MachineFault):
    """A GPU no longer answers."""


class OtherPictures(InputError, MachineFault):
    """The pictures here are not, or are no longer, those of a request."""


class StoreError(CMCError):
    """A store refused an operation."""


class NoStoreError(StoreError):
    """A folder is no store, or not yet: nothing was ever submitted to it."""

    def __init__(self, store: str, message: str) -> None:
        """Keep the store's name beside the message."""
        super().__init__(message)
        self.store = store


class LeaseError(StoreError):
    """A worker no longer holds the request that it wants to write about."""


class LedgerError(StoreError):
    """A store's ledger is damaged."""


class HubError(StoreError):
    """The Hub refused, or could not be reached for a long time."""


class JobError(CMCError):
    """The Hub starts no job."""
