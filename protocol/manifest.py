"""What became of every row that was ever asked for: dates, names and reasons, and no score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from protocol.records import Request
from protocol.rules import Mode, Role
from protocol.states import Action, Status

MILESTONES = frozenset(
    {
        *(Action.SUBMIT, Action.FINISH, Action.FAIL),
        *(Action.GIVE_UP, Action.WITHDRAW, Action.SUPERSEDE, Action.RESTORE),
    }
)
"""What brings a row, takes it away, or keeps it from coming; claims and renewals do neither."""

REMOVALS = frozenset({Action.WITHDRAW, Action.SUPERSEDE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One of `MILESTONES`, as the ledger has it."""

    action: Action
    at: str
    """UTC, ISO 8601."""
    actor: str
    reason: str
    """As it was given; the failure's code where the request failed."""
    successor: str = ""
    """The request that took this one's place; empty unless it was superseded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """What a row was called before."""

    request_id: str
    model: str
    why: str
    """`superseded`, or `same weights`."""

    @property
    def text(self) -> str:
        """What people are shown."""
        return f"{self.model} ({self.why}, {self.request_id[:8]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """One request."""

    request_id: str
    role: Role
    model: str
    partner: str
    modes: tuple[Mode, ...]
    protocol: str
    dataset: str
    submitter: str
    status: Status
    successor: str
    """The request that took this one's place; empty unless it was superseded."""
    milestones: tuple[Milestone, ...]
    """Oldest first."""
    formerly: tuple[Former, ...] = ()
    """As far as the ledger knows it, newest first."""

    @classmethod
    def of(
        cls,
        request: Request,
        *,
        status: Status,
        milestones: tuple[Milestone, ...],
        successor: str = "",
        formerly: tuple[Former, ...] = (),
    ) -> "ManifestEntry":
        """Return the entry of a request."""
        return cls(
            request_id=request.request_id,
            role=request.role,
            model=request.label,
            partner=request.partner,
            modes=request.modes,
            protocol=request.protocol,
            dataset=request.dataset,
            submitter=request.submitter,
            status=status,
            successor=successor,
            milestones=milestones,
            formerly=formerly,
        )

    def last(self, *actions: Action) -> Milestone | None:
        """Return the newest milestone of one of these kinds, None where there is none."""
        return next((one for one in reversed(self.milestones) if one.action in actions), None)

    def as_of(self, at: str) -> "ManifestEntry":
        """Return the entry with what a board of a time (UTC, ISO 8601) could know of its rows."""
        told = tuple(one for one in self.milestones if one.at <= at)
        return replace(self, milestones=told, successor=told[-1].successor if told else "")

    def removed_since(self, at: str) -> Milestone | None:
        """Return what took a row away that stood at a time (UTC, ISO 8601); None: nothing did."""
        removals = [one for one in self.milestones if one.action in (*REMOVALS, Action.RESTORE)]
        while removals and removals[-1].action is Action.RESTORE:
            # It took back what was before it, and nothing earlier: a result that was withdrawn.
            del removals[-2:]
        if not removals:
            return None
        removal = removals[-1]
        # Two machines' clocks may differ; that it is away is sure.
        is_away = self.status in (Status.WITHDRAWN, Status.SUPERSEDED)
        return removal if is_away or removal.at >= at else None


def by_request(manifest: Sequence[ManifestEntry]) -> Mapping[str, ManifestEntry]:
    """Return the entries by request id."""
    return {entry.request_id: entry for entry in manifest}


COLUMNS = (
    *("request_id", "role", "model", "partner", "modes", "protocol", "dataset", "submitter"),
    *("action", "at", "actor", "reason", "successor", "status_now"),
)


def manifest_lines(manifest: Sequence[ManifestEntry]) -> list[dict[str, str]]:
    """Return one line a milestone, by `COLUMNS`, for tables."""
    return [
        {
            "request_id": entry.request_id,
            "role": entry.role,
            "model": entry.model,
            "partner": entry.partner,
            "modes": ",".join(entry.modes),
            "protocol": entry.protocol,
            "dataset": entry.dataset,
            "submitter": entry.submitter,
            "action": milestone.action,
            "at": milestone.at,
            "actor": milestone.actor,
            "reason": milestone.reason,
            "successor": milestone.successor,
            "status_now": entry.status,
        }
        for entry in manifest
        for milestone in entry.milestones
    ]
