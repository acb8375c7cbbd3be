"""The thread that keeps a lease alive."""

import threading
from datetime import UTC, datetime
from pathlib import Path

from made_requests import PER_IMAGE, request_for, result_of

from protocol.errors import HubError, LeaseError
from protocol.states import Action
from submission.heartbeat import beating
from submission.queue import Terms
from submission.store import FolderStore


def test_a_claim_that_is_worked_on_is_renewed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, terms=Terms(lease_seconds=0.2, grace_seconds=0))
    store.submit(request_for(53))
    with store.claim("w") as claim:
        assert claim is not None
        store.report_progress(claim, "decode 1/2")
        first = claim.lease.expires_at
        deadline = datetime.now(UTC).timestamp() + 20
        while FolderStore(tmp_path).state(claim.request.request_id).version < 4:
            assert datetime.now(UTC).timestamp() < deadline
            threading.Event().wait(0.02)
        state = store.state(claim.request.request_id)
        assert state.lease is not None
        assert state.lease.expires_at > first
        assert state.progress == "decode 1/2"
        store.finish(claim, result_of(claim.request), PER_IMAGE)
    assert [e.action for e in store.events(claim.request.request_id)][-1] is Action.FINISH


def test_a_store_out_of_reach_is_asked_again_and_a_lost_lease_is_not() -> None:
    errors = [HubError("away"), HubError("away"), LeaseError("gone"), HubError("never")]
    beats: list[Exception] = []
    gone = threading.Event()

    def beat() -> None:
        beats.append(errors[len(beats)])
        if isinstance(beats[-1], LeaseError):
            gone.set()
        raise beats[-1]

    with beating(beat, 0.01):
        assert gone.wait(20)
        threading.Event().wait(0.1)
    assert [type(error) for error in beats] == [HubError, HubError, LeaseError]
