"""Why a request can fail: a closed list, what each means for the submitter, and which pass."""

from collections.abc import Mapping
from enum import StrEnum


class FailureCode(StrEnum):
    """What went wrong, for programs; people read the hint."""

    INPUT_REFUSED = "INPUT_REFUSED"
    RESULTS_REFUSED = "RESULTS_REFUSED"
    MODEL_REFUSED = "MODEL_REFUSED"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    GATED_NO_ACCESS = "GATED_NO_ACCESS"
    CAPTION_REFUSED = "CAPTION_REFUSED"
    WEIGHTS_MISSING = "WEIGHTS_MISSING"
    CODEC_FAILED = "CODEC_FAILED"
    NAN_OUTPUT = "NAN_OUTPUT"
    WRONG_SIZE = "WRONG_SIZE"
    NSFW_FILTERED = "NSFW_FILTERED"
    EMPTY_CAPTION = "EMPTY_CAPTION"
    FLAT_PICTURES = "FLAT_PICTURES"
    PICTURE_TOO_SMALL = "PICTURE_TOO_SMALL"
    NAN_SCORE = "NAN_SCORE"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    KERNEL_FAULT = "KERNEL_FAULT"
    TIMEOUT = "TIMEOUT"
    HUB_UNAVAILABLE = "HUB_UNAVAILABLE"
    WORKER_LOST = "WORKER_LOST"
    INTERNAL = "INTERNAL"


HINTS: Mapping[FailureCode, str] = {
    FailureCode.INPUT_REFUSED: "Correct what the message names and submit again.",
    FailureCode.RESULTS_REFUSED: "The results that came with the request are not what `cmc "
    "evaluate --out` writes; send them again as it wrote them.",
    FailureCode.MODEL_REFUSED: "Try the same command on your machine: `cmc evaluate` with the "
    "model's id shows the same message.",
    FailureCode.MODEL_NOT_FOUND: "Check id and revision, and that the repository is public.",
    FailureCode.GATED_NO_ACCESS: "Give the evaluator's account access to the repository, then "
    "submit again.",
    FailureCode.CAPTION_REFUSED: "The I2T model's answer cannot be used as a caption; look at its "
    "prompt and its settings.",
    FailureCode.WEIGHTS_MISSING: "The worker lacks an indicator's weights; tell the maintainers.",
    FailureCode.CODEC_FAILED: "A picture codec refused; tell the maintainers.",
    FailureCode.NAN_OUTPUT: "The T2I model answers with NaN; try `?dtype=float32`.",
    FailureCode.WRONG_SIZE: "The T2I model's pictures do not have the size that was asked for.",
    FailureCode.NSFW_FILTERED: "The checkpoint's safety checker blacked out a picture; "
    "`?safety_checker=false` leaves it out where the licence allows that.",
    FailureCode.FLAT_PICTURES: "The smoke test's pictures are each of one colour; an autoencoder "
    "that overflows in half precision makes such: try `?dtype=float32`.",
    FailureCode.EMPTY_CAPTION: "The I2T model said nothing of the pictures; look at its prompt and "
    "its settings.",
    FailureCode.PICTURE_TOO_SMALL: "The pictures are smaller than the protocol's indicators can "
    "take; submit larger ones.",
    FailureCode.NAN_SCORE: "An indicator's score was no number; look at the pictures that `cmc "
    "evaluate` makes, and if nothing is wrong with them tell the maintainers.",
    FailureCode.OUT_OF_MEMORY: "The model does not fit the worker's GPU; try `?dtype=float16`, or "
    "ask for a larger worker.",
    FailureCode.KERNEL_FAULT: "The GPU stopped one of the model's computations, as it does when an "
    "index lies outside its table; CUDA_LAUNCH_BLOCKING=1 on a machine of your own shows where.",
    FailureCode.TIMEOUT: "The model took longer than the worker may spend on a request.",
    FailureCode.HUB_UNAVAILABLE: "The Hub did not answer; submit again later.",
    FailureCode.WORKER_LOST: "Its worker vanished at every attempt, as it does when a model takes "
    "all memory; try the model on a machine of your own.",
    FailureCode.INTERNAL: "This is not the submitter's fault as far as is known; tell the "
    "maintainers the request's id.",
}
"""What the submitter can do."""

MAY_PASS = frozenset(
    {
        FailureCode.OUT_OF_MEMORY,
        FailureCode.KERNEL_FAULT,
        FailureCode.TIMEOUT,
        FailureCode.HUB_UNAVAILABLE,
        FailureCode.WORKER_LOST,
        FailureCode.INTERNAL,
    }
)
"""Another attempt may go well: the request goes back into the queue while attempts are left."""
