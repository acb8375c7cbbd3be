"""What `cmc verify` finds in a store that somebody changed by hand."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback_hub import LoopbackHub
from made_requests import PER_IMAGE, request_for, result_of

from protocol.errors import LedgerError
from submission.ledger_check import check_ledger
from submission.store import FolderStore
from submission.store_hub import HubStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    for quality in range(3):
        store.submit(request_for(quality))
    for _ in range(2):
        with store.claim("w") as claim:
            assert claim is not None
            store.finish(claim, result_of(claim.request), PER_IMAGE)
    return store


def problems(store: FolderStore) -> list[str]:
    return check_ledger(FolderStore(store.folder).ledger).problems


def files(store: FolderStore, suffix: str) -> list[Path]:
    return sorted((store.folder / "results").rglob(f"*.{suffix}"))


def test_an_honest_store_has_no_problems(store: FolderStore) -> None:
    checked = check_ledger(store.ledger)
    assert (checked.problems, checked.leftovers, checked.book.number) == ([], [], 7)


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_changed_removed_or_added_result_is_named(store: FolderStore, suffix: str) -> None:
    first, second = files(store, suffix)
    first.write_bytes(first.read_bytes() + b" ")
    second.unlink()
    added = first.with_name(f"{'f' * 20}.9.{suffix}")
    added.write_bytes(b"{}")
    found = problems(store)
    assert len(found) == 3
    for path, what in ((first, "changed"), (second, "removed"), (added, "added")):
        assert any(str(path.relative_to(store.folder)) in p and what in p for p in found)


def test_a_line_of_brackets_without_end_is_damage_and_no_traceback(store: FolderStore) -> None:
    ledger = store.folder / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b"[" * 100_000 + b"\n")
    assert any("not JSON (maximum recursion depth" in problem for problem in problems(store))
    with pytest.raises(LedgerError, match="of the ledger is damaged: maximum recursion"):
        FolderStore(store.folder).queue()


def test_a_line_with_a_key_twice_is_damaged_and_not_read_by_its_last(store: FolderStore) -> None:
    ledger = store.folder / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"number":7,', b'"number":8,"number":7,'))
    assert problems(store)[0].startswith("line 7 of the ledger: not JSON (the key 'number' stands")
    with pytest.raises(LedgerError, match="line 7 of the ledger is damaged: the key 'number'"):
        FolderStore(store.folder).queue()


def test_cut_off_lines_are_found_by_who_noted_the_newest_one(store: FolderStore) -> None:
    earlier = check_ledger(store.ledger).book.sha256
    store.take("w")
    newest = check_ledger(store.ledger).book.sha256
    assert check_ledger(store.ledger, earlier).problems == []
    path = store.folder / "ledger.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert problems(store) == []
    cut = FolderStore(store.folder).ledger
    assert check_ledger(cut, earlier).problems == []
    (problem,) = check_ledger(cut, newest).problems
    assert problem.startswith(f"line {newest}: noted elsewhere and not in the ledger")


def test_a_changed_request_is_named(store: FolderStore) -> None:
    path = next((store.folder / "requests").rglob("*.json"))
    path.write_text(path.read_text().replace('"ada"', '"eve"'))
    assert problems(store) == [f"{path.relative_to(store.folder)}: changed outside the ledger"]


def test_files_of_a_claim_that_was_lost_are_left_over_and_no_problem(store: FolderStore) -> None:
    claim = store.take("w")
    assert claim is not None
    name = f"{claim.request.request_id}.{claim.lease.token}.parquet"
    path = store.folder / "results" / name[:2] / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    checked = check_ledger(store.ledger)
    assert checked.problems == []
    assert checked.leftovers == [str(path.relative_to(store.folder))]


def _rechain(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Write a ledger anew with every hash as it would be: what an intruder with time would do."""
    entries = [json.loads(line) for line in path.read_bytes().splitlines()]
    change(entries)
    lines: list[bytes] = []
    for entry in entries:
        entry["previous_sha256"] = hashlib.sha256(lines[-1]).hexdigest() if lines else ""
        text = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        lines.append(text.encode())
    path.write_bytes(b"\n".join(lines) + b"\n")


def _finish_by_another(entries: list[dict[str, Any]]) -> None:
    entries[4]["events"][0]["state"]["lease"]["nonce"] = "0" * 32


def _finish_without_claim(entries: list[dict[str, Any]]) -> None:
    del entries[3]
    for number, entry in enumerate(entries, 1):
        entry["number"] = number


def _finish_late(entries: list[dict[str, Any]]) -> None:
    entries[4]["events"][0]["state"]["updated_at"] = "2999-01-01T00:00:00.000Z"


def _forget_a_file(entries: list[dict[str, Any]]) -> None:
    entries[4]["files"] = {}


def _skip_a_version(entries: list[dict[str, Any]]) -> None:
    entries[0]["events"][0]["state"]["version"] = 2


def _claim_with_an_older_token(entries: list[dict[str, Any]]) -> None:
    entries[3]["events"][0]["state"]["lease"]["token"] = 1


def _submit_another(entries: list[dict[str, Any]]) -> None:
    entries[0]["events"][0]["request"]["dataset"] = "other"


def _keep_no_request(entries: list[dict[str, Any]]) -> None:
    entries[0]["files"] = {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_skip_a_version, "SUBMIT has version 2 after 0"),
        (_claim_with_an_older_token, "CLAIM has token 1, wanted 2"),
        (_submit_another, "SUBMIT came with "),
        (_keep_no_request, "it came without its file"),
        (_finish_by_another, "not written under the lease that was held"),
        (_finish_without_claim, "FINISH leads from PENDING to FINISHED; no rule does"),
        (_finish_late, "after the lease had ended"),
        (_forget_a_file, "the ledger has it with two hashes"),
    ],
)
def test_a_ledger_that_was_written_anew_breaks_a_rule(
    store: FolderStore, change: Callable[[list[dict[str, Any]]], None], said: str
) -> None:
    _rechain(store.folder / "ledger.jsonl", lambda _: None)
    assert problems(store) == []
    _rechain(store.folder / "ledger.jsonl", change)
    assert any(said in problem for problem in problems(store))


def test_a_changed_line_is_named_by_its_number(store: FolderStore) -> None:
    path = store.folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"submitted"', b'"submittex"', 1))
    assert any("line 2 of the ledger does not follow" in p for p in problems(store))


def test_the_hubs_files_are_checked_as_well(hub: LoopbackHub, tmp_path: Path) -> None:
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "cache")
    store.create()
    store.submit(request_for(1))
    with store.claim("w") as claim:
        assert claim is not None
        store.finish(claim, result_of(claim.request), PER_IMAGE)
    assert check_ledger(store.ledger).problems == []
    (result,) = (p for p in store.ledger.digests() if p.endswith(".json") and "results/" in p)
    hub.api().upload_file(
        path_or_fileobj=b"{}",
        path_in_repo=result,
        repo_id="acme/cmc-results",
        repo_type="dataset",
    )
    hub.api().delete_file(
        f"requests/{store.queue()[0].request.request_id[:2]}/"
        f"{store.queue()[0].request.request_id}.json",
        "acme/cmc-requests",
        repo_type="dataset",
    )
    found = check_ledger(store.ledger).problems
    assert [p.split(": ")[1][:7] for p in sorted(found)] == ["removed", "changed"]
