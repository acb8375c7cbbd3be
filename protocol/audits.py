"""Audits of rows that their submitters ran: a random part is run again by the store's maintainers.

Which pictures is decided by the request and by the ledger's newest line when the audit begins.
The results were in the ledger before that line, so nobody who made them could know the pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from protocol.replications import Replication
from protocol.samples import Sample
from protocol.subsets import choose_subset

SCHEMA_VERSION = 1
SHARE = 0.05
"""Of the pictures, unless said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """A part of a self-reported row that was run again by a maintainer. Immutable."""

    schema_version: int
    share: float
    salt: str
    """sha256 of the ledger's newest line when the audit began."""
    replication: Replication

    @property
    def agrees(self) -> bool:
        """Whether the row may be called verified."""
        return self.replication.agrees

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        found = self.replication
        part = f"{len(found.names)} pictures chosen by chance"
        if self.agrees:
            return f"The submitter ran this; {part} were run again by the maintainers and agree."
        off = [one for one in found.agreements if not one.agrees]
        first = off[0]
        return (
            f"The submitter ran this; {part} were run again by the maintainers and do not agree: "
            f"{first.mode} {first.what} is {first.original:.4f} as reported and "
            f"{first.replicated:.4f} as run again, where {first.tolerance:.4f} is allowed; "
            f"{len(off)} of {len(found.agreements)} means are off."
        )


def audit_names(
    samples: Sequence[Sample], share: float, request_id: str, salt: str
) -> tuple[str, ...]:
    """Return the names of the pictures that an audit runs again: the share, rounded up.

    There is at least one of each content.
    """
    size = max(ceil(share * len(samples)), len({sample.content for sample in samples}))
    return choose_subset(samples, size, f"{request_id} {salt}")
