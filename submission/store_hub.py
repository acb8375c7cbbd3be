"""The store on the Hub; `submission.ledger_hub` says what lies where."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from submission.beside import Beside, HubBeside
from submission.folders import under_home
from submission.hub_files import Backoff
from submission.ledger_hub import HubLedger
from submission.queue import Terms
from submission.store_ledger import LedgerStore

HURRIED = Backoff(first_seconds=0.5, limit_seconds=2.0, tries=4)
HURRIED_TIMEOUT = 10.0
"""For a server whose readers wait: it looks again soon anyway."""


class HubStore(LedgerStore):
    """Requests, events and results in two datasets of the Hub."""

    def __init__(
        self,
        name: str,
        *,
        endpoint: str | None = None,
        token: str | None = None,
        cache: Path | None = None,
        terms: Terms | None = None,
        backoff: Backoff | None = None,
        timeout: float = 60.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep the address; nothing is asked yet.

        Args:
            name: `ORG/NAME`, without `-requests` and `-results`.
            endpoint: of the Hub; the environment's by default.
            token: the one that `hf auth login` left by default.
            cache: where results are kept that were read.
            terms: of leases and attempts.
            backoff: of tries while the Hub is in trouble.
            timeout: of one call, in seconds.
            clock: tells the time.
        """
        cache = cache or under_home(Path("~/.cache/cmc-bench/hub"))
        ledger = HubLedger(
            name,
            endpoint=endpoint,
            token=token,
            cache=cache,
            backoff=backoff or Backoff(),
            timeout=timeout,
        )
        super().__init__(ledger, terms=terms, clock=clock)
        self._hub_ledger = ledger
        self.beside: Beside = HubBeside(ledger.results, ledger.api, cache / "beside")

    def create(self) -> None:
        """Make the two repositories where they are not there."""
        self._hub_ledger.create()
