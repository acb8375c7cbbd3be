"""What the folder adds: locks of the kernel, and crashes in the middle of a write."""

import errno
import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event as EventType
from pathlib import Path

import pytest
from made_requests import PER_IMAGE, request_for, result_of

from protocol.errors import LedgerError
from submission.store import FolderStore


def _hold(folder: Path, held: EventType) -> None:
    with FolderStore(folder).claim("doomed"):
        held.set()
        signal.pause()


def test_a_claim_ends_when_its_process_is_killed_and_not_before(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.submit(request_for(53))
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    worker = context.Process(target=_hold, args=(store.folder, held))
    worker.start()
    assert held.wait(30)
    assert store.take("second") is None
    worker.kill()
    worker.join()
    claim = store.take("second")
    assert claim is not None
    assert claim.state.attempt == 2


@pytest.mark.parametrize("torn", [b"{", b'{"number":2,"nonce":"x"', b"\x00" * 700])
def test_a_line_that_a_crash_cut_off_never_happened(tmp_path: Path, torn: bytes) -> None:
    folder = tmp_path / "store"
    FolderStore(folder).submit(request_for(53))
    with (folder / "ledger.jsonl").open("ab") as file:
        file.write(torn)
    store = FolderStore(folder)
    assert len(store.queue()) == 1
    store.submit(request_for(54))
    assert (folder / "ledger.jsonl").read_bytes().count(b"\n") == 2
    assert len(FolderStore(folder).queue()) == 2


def test_a_line_that_did_not_reach_the_disk_is_seen_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path / "store")
    store.submit(request_for(53))
    before = (store.folder / "ledger.jsonl").read_bytes()

    def no_space(_: int) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    # The request's own file is written before the line, and may be.
    monkeypatch.setattr("submission.store_folder.write_whole", lambda *_: None)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(OSError, match=r"the disk is full.*ledger\.jsonl"):
            store.submit(request_for(54))
    assert (store.folder / "ledger.jsonl").read_bytes() == before


def test_a_crash_between_the_files_and_the_line_leaves_the_request_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path / "store")
    store.submit(request_for(53))
    claim = store.take("w")
    assert claim is not None
    with monkeypatch.context() as patch:
        patch.setattr(store.ledger, "_append", lambda _: (_ for _ in ()).throw(OSError("power")))
        with pytest.raises(OSError, match="power"):
            store.finish(claim, result_of(claim.request), PER_IMAGE)
    assert FolderStore(store.folder).results() == []
    store.finish(claim, result_of(claim.request), PER_IMAGE)
    assert len(FolderStore(store.folder).results()) == 1


def test_a_ledger_that_was_changed_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    for quality in range(3):
        store.submit(request_for(quality))
    path = store.folder / "ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"ada"', b'"eve"', 1))
    with pytest.raises(LedgerError, match="line 2 of the ledger does not follow"):
        FolderStore(store.folder).queue()
    path.write_bytes(whole[: whole.index(b"\n") + 1])
    with pytest.raises(LedgerError, match="has become shorter"):
        store.queue()


def test_a_result_that_was_changed_is_not_shown(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.submit(request_for(53))
    with store.claim("w") as claim:
        assert claim is not None
        store.finish(claim, result_of(claim.request), PER_IMAGE)
    (path,) = (store.folder / "results").rglob("*.json")
    path.write_bytes(path.read_bytes().replace(b"verified", b"verifieD"))
    with pytest.raises(LedgerError, match=f"{path.name} was changed outside the ledger"):
        store.results()
