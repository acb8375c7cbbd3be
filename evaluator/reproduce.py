"""Running part of a row again: the same pictures for everybody, nothing taken from a cache."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from evaluator.bench import Bench
from evaluator.execution import Outcome, run_part
from evaluator.fetching import fetch_restricted
from evaluator.isolation import evaluate_apart, needs_isolation
from protocol.errors import InputError, ModelError
from protocol.records import Request, Result, System
from protocol.replications import (
    SCHEMA_VERSION,
    PictureScore,
    Replication,
    compare,
    equal_pictures,
)
from protocol.rules import Dimension, Mode
from protocol.states import Failure
from submission.intake import examine_again, require_accepted
from submission.served import served_by
from submission.store import now
from submission.systems import is_hub_id, pin_system, require_unchanged

Run: TypeAlias = Callable[[Request, Bench, Sequence[str]], Outcome]
"""Runs some of a request's pictures."""


def run_apart(request: Request, bench: Bench, names: Sequence[str]) -> Outcome:
    """Run pictures as a worker does: submitted weights are checked, and run without any token.

    Raises:
        SubmissionError: something speaks against the models.
        ModelError: the run failed.
        OSError: this machine is at fault.
    """
    if not needs_isolation(request):
        return run_part(request, bench, names)
    require_accepted(examine_again(request))
    fetch_restricted(request)
    outcome = evaluate_apart(request, bench, names=names)
    if isinstance(outcome, Failure):
        raise ModelError(f"{outcome.code}: {outcome.message}")
    return outcome


def reproduce(
    result: Result,
    per_image: bytes,
    bench: Bench,
    *,
    names: Sequence[str],
    replicated_by: str,
    run: Run = run_part,
) -> Replication:
    """Run a part of a finished row and return how it compares.

    Args:
        result: the row.
        per_image: its per-image Parquet.
        bench: where; its cache must be a fresh one, or it is no second run.
        names: of the pictures.
        replicated_by: who runs it.
        run: runs them.

    Raises:
        InputError: the Parquet is not the row's.
        CMCError: as for `evaluate`.
    """
    import hashlib

    if hashlib.sha256(per_image).hexdigest() != result.per_image_sha256:
        raise InputError("the per-image scores are not those that the row was made from")
    again = run(result.request, bench, names)
    original, replicated = read_scores(per_image), read_scores(again.per_image)
    equal, compared = equal_pictures(original, replicated)
    return Replication(
        schema_version=SCHEMA_VERSION,
        request_id=result.request.request_id,
        per_image_sha256=result.per_image_sha256,
        names=tuple(names),
        agreements=compare(original, replicated),
        equal_pictures=equal,
        pictures=compared,
        replicated_by=replicated_by,
        replicated_at=now(),
        provenance=again.result.provenance,
    )


def read_scores(per_image: bytes) -> list[PictureScore]:
    """Return the rows of a per-image Parquet that are compared."""
    import pyarrow.parquet as pq

    columns = ["name", "mode", "dimension", "score", "bits_per_pixel", "picture_sha256"]
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(per_image), columns=columns).to_pylist()
    return [
        PictureScore(
            name=row["name"],
            mode=Mode(row["mode"]),
            dimension=Dimension(row["dimension"]),
            score=row["score"],
            bits_per_pixel=row["bits_per_pixel"],
            picture_sha256=row["picture_sha256"],
        )
        for row in rows
    ]


def relocate(request: Request, texts: Mapping[str, str | None]) -> Request:
    """Return the request with its models where they lie on this machine.

    Args:
        request: holds the paths of the submitter's machine.
        texts: for `i2t` and `t2i`, the system as it is typed here.

    Raises:
        ModelError: a system here is not the one that the request names.
    """
    return replace(
        request,
        i2t=_here(request.i2t, texts.get("i2t")),
        t2i=_here(request.t2i, texts.get("t2i")),
    )


def _here(wanted: System | None, text: str | None) -> System | None:
    if wanted is None:
        return None
    if text is None:
        served = served_by().get(wanted.adapter.replace("_", "-"))
        is_file = served and served.has_weights and wanted.model and not is_hub_id(wanted.model)
        if is_file and not Path(wanted.path or wanted.model).exists():
            raise ModelError(
                f"{wanted.label} was run from a file or folder of its submitter's machine; say "
                f"where it lies here, as {wanted.adapter}:PATH, with --i2t or --t2i"
            )
        require_unchanged(wanted)
        return wanted
    found = pin_system(text)
    if found.identity != wanted.identity:
        raise ModelError(
            f"{text} is {found.label} at {found.revision[:12] or 'no revision'}; the row was "
            f"run with {wanted.label} at {wanted.revision[:12] or 'no revision'}"
        )
    return found
