"""Requests and results made by hand, for the queue's tests."""

import hashlib

from made_provenance import make_provenance

from protocol.records import Request, Result, System
from protocol.rules import Mode, Role

PER_IMAGE = b"not a Parquet; the store does not look inside"


def request_for(quality: int | str, submitter: str = "ada", dataset: str = "demo") -> Request:
    """Return a codec's request; another quality is another request."""
    return Request(
        role=Role.CODEC,
        i2t=None,
        t2i=None,
        codec=System(adapter="vvc", model=str(quality), revision="", path=""),
        modes=(Mode.IMAGE,),
        protocol="demo-0",
        dataset=dataset,
        dataset_sha256="0" * 64,
        submitter=submitter,
        submitted_at="2026-01-01T00:00:00.000Z",
    )


def result_of(request: Request, per_image: bytes = PER_IMAGE) -> Result:
    """Return a result without scores."""
    return Result(
        schema_version=1,
        request=request,
        source="verified",
        images=0,
        scores=(),
        rates=(),
        costs=(),
        provenance=make_provenance(),
        per_image_sha256=hashlib.sha256(per_image).hexdigest(),
    )
