"""From an error to what its submitter is told: a code of the closed list, and a redacted log."""

import errno
import traceback
from collections.abc import Iterator

from evaluator.batches import is_device_lost, is_kernel_fault
from protocol.errors import (
    CaptionError,
    CodecError,
    DecodeError,
    FruitlessError,
    InputError,
    MachineFault,
    ModelError,
    WeightsError,
)
from protocol.failures import FailureCode
from protocol.states import Failure
from submission.queue import make_failure
from submission.redaction import excerpt, redact

_BY_CLASS: tuple[tuple[type[Exception], FailureCode], ...] = (
    (CaptionError, FailureCode.CAPTION_REFUSED),
    (WeightsError, FailureCode.WEIGHTS_MISSING),
    (ModelError, FailureCode.MODEL_REFUSED),
    (CodecError, FailureCode.CODEC_FAILED),
    (InputError, FailureCode.INPUT_REFUSED),
    (MemoryError, FailureCode.OUT_OF_MEMORY),
    (TimeoutError, FailureCode.TIMEOUT),
)
_BY_NAME = {
    # Of libraries that are not imported for their errors' sake.
    "OutOfMemoryError": FailureCode.OUT_OF_MEMORY,
    "GatedRepoError": FailureCode.GATED_NO_ACCESS,
    "RepositoryNotFoundError": FailureCode.MODEL_NOT_FOUND,
    "RevisionNotFoundError": FailureCode.MODEL_NOT_FOUND,
    "EntryNotFoundError": FailureCode.MODEL_NOT_FOUND,
    "HfHubHTTPError": FailureCode.HUB_UNAVAILABLE,
    "TransportError": FailureCode.HUB_UNAVAILABLE,
}


_MACHINES = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE),
        *(errno.EMFILE, errno.ENFILE),
    }
)
"""Of a disk or a process that can take no more, whoever's model asked."""


def blame_machine(error: BaseException) -> None:
    """Raise what is wrong with this machine, where that is behind an error.

    Libraries tell a full disk, or a GPU that is gone, as one more reason why a model cannot be
    loaded.

    Raises:
        MachineFault: no model is at fault.
    """
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in _MACHINES:
            raise MachineFault(
                f"{error} ({cause})" if cause is not error else str(error)
            ) from error
        is_lost = isinstance(cause, RuntimeError) and is_device_lost(cause)
        if is_lost and not is_kernel_fault(cause):
            raise MachineFault(f"the device no longer answers ({error})") from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was raised from or because of."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def failure_of(error: BaseException) -> Failure:
    """Return what is written down about an error of a run."""
    message = redact(str(error) or type(error).__name__)
    log = "".join(traceback.format_exception(error))
    return make_failure(code_of(error), "evaluate", message, excerpt(log))


def code_of(error: BaseException) -> FailureCode:
    """Return the code of an error, or of the one that it was raised from."""
    if isinstance(error, DecodeError | FruitlessError):
        return FailureCode(error.code)
    if any(map(is_kernel_fault, _causes(error))):
        return FailureCode.KERNEL_FAULT
    cause: BaseException | None = error
    while cause is not None:
        for base in type(cause).__mro__:
            if base.__name__ in _BY_NAME:
                return _BY_NAME[base.__name__]
        cause = cause.__cause__
    found = (code for kind, code in _BY_CLASS if isinstance(error, kind))
    return next(found, FailureCode.INTERNAL)
