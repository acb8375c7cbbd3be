"""1 - character error rate of the text that Tesseract reads, 0 to 1; for SCI, never ranked.

The text of the picture against the text of the reference: Levenshtein distance over the reference's
length, at most 1, with runs of white space as one space. Where nothing is read in the reference it
is 1 if nothing is read in the picture either, else 0.
"""

import io
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.indicators import Indicator
from evaluator.indicators._facts import Facts
from protocol.errors import InputError, PictureError
from protocol.rules import Dimension

if TYPE_CHECKING:
    from PIL.Image import Image

DIMENSION = Dimension.FR
IMPLEMENTATION = "1 - character error rate, Tesseract, English, --psm 3"
WEIGHTS = ""
FACTS = Facts(
    paper="Levenshtein 1966; Smith, ICDAR 2007 (Tesseract)",
    lowest=0,
    highest=1,
    lower_is_better=True,
    code_licence="Tesseract: Apache-2.0",
    program="tesseract",
)


class Legibility:
    """Tesseract as a program, one process a picture."""

    def __init__(self, program: str) -> None:
        """Keep the program's path."""
        self._program = program

    def score(
        self, pictures: Sequence["Image"], references: Sequence["Image"] | None
    ) -> list[float]:
        """Return how much of each reference's text can still be read."""
        if references is None:
            raise InputError("legibility compares with the reference's text, and there is none")
        return [
            1 - character_error_rate(self.text_of(picture), self.text_of(reference))
            for picture, reference in zip(pictures, references, strict=True)
        ]

    def text_of(self, picture: "Image") -> str:
        """Return what Tesseract reads, runs of white space as one space.

        Raises:
            PictureError: Tesseract refuses the picture.
        """
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=1)
        done = subprocess.run(
            [self._program, "stdin", "stdout", "-l", "eng", "--psm", "3"],
            input=file.getvalue(),
            capture_output=True,
            check=False,
            # Its threads cost more than they gain, and a run has other processes.
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
        if done.returncode != 0:
            message = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise PictureError(f"tesseract refused a picture of {picture.size}: {message}")
        return " ".join(done.stdout.decode("utf-8", "replace").split())


def character_error_rate(text: str, truth: str) -> float:
    """Return the edits from `truth` to `text` over the length of `truth`, at most 1."""
    if not truth:
        return 1.0 if text else 0.0
    return min(1.0, edit_distance(text, truth) / len(truth))


def edit_distance(first: str, second: str) -> int:
    """Return the fewest insertions, deletions and replacements between two texts."""
    import numpy as np

    codes = np.array([ord(character) for character in second], dtype=np.int32)
    places = np.arange(len(second) + 1)
    row = places.copy()
    for position, character in enumerate(first, start=1):
        kept = np.minimum(row[:-1] + (codes != ord(character)), row[1:] + 1)
        candidates = np.concatenate([[position], kept])
        # An insertion moves along the row at one a step: a running minimum once that is taken off.
        row = np.minimum.accumulate(candidates - places) + places
    return int(row[-1])


def load(weights: Path | None, device: str) -> Indicator:
    """Return the reader.

    Raises:
        InputError: the program is not installed.
    """
    del weights, device
    program = shutil.which("tesseract")
    if program is None:
        raise InputError(
            "the program tesseract is not on the PATH; install it with its English data "
            "(Debian: apt-get install tesseract-ocr)"
        )
    return Legibility(program)
