"""From an error to its code."""

import errno

import pytest

from evaluator.failures import blame_machine, code_of, failure_of
from protocol.errors import (
    CaptionError,
    CMCError,
    CodecError,
    DecodeError,
    MachineFault,
    ModelError,
)
from protocol.failures import HINTS, FailureCode


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelError("no such model"), FailureCode.MODEL_REFUSED),
        (CaptionError("empty"), FailureCode.CAPTION_REFUSED),
        (CodecError("ffmpeg"), FailureCode.CODEC_FAILED),
        (DecodeError("NAN_OUTPUT", "NaN"), FailureCode.NAN_OUTPUT),
        (DecodeError("NSFW_FILTERED", "black"), FailureCode.NSFW_FILTERED),
        (DecodeError("WRONG_SIZE", "8x8"), FailureCode.WRONG_SIZE),
        (MemoryError(), FailureCode.OUT_OF_MEMORY),
        (TimeoutError(), FailureCode.TIMEOUT),
        (CMCError("odd"), FailureCode.INTERNAL),
        (ZeroDivisionError("division by zero"), FailureCode.INTERNAL),
    ],
)
def test_an_error_has_its_code(error: Exception, code: FailureCode) -> None:
    assert code_of(error) is code


def test_the_cause_tells_more_than_what_it_was_wrapped_in() -> None:
    from torch import OutOfMemoryError

    def load() -> None:
        try:
            raise OutOfMemoryError("CUDA out of memory")
        except OutOfMemoryError as cause:
            raise ModelError("cannot be loaded") from cause

    with pytest.raises(ModelError) as caught:
        load()
    assert code_of(caught.value) is FailureCode.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("reason", "is_machines"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "blobs/ab"), True),
        (RuntimeError("CUDA error: unspecified launch failure"), True),
        (FileNotFoundError(errno.ENOENT, "No such file", "model.safetensors"), False),
        (RuntimeError("CUDA out of memory"), False),
    ],
)
def test_a_library_that_wraps_the_machines_trouble_blames_no_model(
    reason: Exception, is_machines: bool
) -> None:
    error = ModelError("diffusers cannot load it")
    # As diffusers does: what it raises while it handles an error has no cause of its own.
    error.__context__ = reason
    if is_machines:
        with pytest.raises(MachineFault, match="cannot load it"):
            blame_machine(error)
    else:
        blame_machine(error)


def test_a_failure_has_a_hint_and_a_log_without_secrets() -> None:
    try:
        raise ModelError("token hf_abcdefghijklmnopqrstuvwxyz of /home/ada/models/x is refused")
    except ModelError as error:
        failure = failure_of(error)
    assert failure.message == "token [hidden] of …/x is refused"
    assert failure.hint == HINTS[FailureCode.MODEL_REFUSED]
    assert "ModelError" in failure.log
    assert "hf_abc" not in failure.log
    assert "/home" not in failure.log


def test_every_code_has_a_hint() -> None:
    assert set(HINTS) == set(FailureCode)
