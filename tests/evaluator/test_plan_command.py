"""`cmc plan` on stores: what it chooses, what it leaves out, and where it queues."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_hub import LoopbackHub
from made_store import NAMES, add_result

from evaluator import planning
from evaluator.bench import Bench
from evaluator.planning import PRIORITY, plan_store, queue_plan
from evaluator.run import evaluate
from evaluator.worker import work
from protocol.errors import StatisticsError
from protocol.records import Request, System
from protocol.rules import Mode, Role, Track
from protocol.system_names import system_key
from submission.findings import Code
from submission.ledger_check import check_ledger
from submission.limits import LIMITS, UNSHARED
from submission.store import FolderStore
from submission.store_hub import HubStore

ULB = Track.T2I_ULB
AnyStore = FolderStore | HubStore


@pytest.fixture(params=["folder", "hub"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "cmc-store")
        return
    with LoopbackHub(tmp_path / "lfs") as hub:
        store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "h")
        store.create()
        yield store


def fill(store: AnyStore, *pairs: str, seconds: tuple[float, float] | None = (1, 2)) -> None:
    """Add results of pairs, each written `a x`: captions a.csv, decoder x."""
    for at, pair in enumerate(pairs):
        encoder, decoder = pair.split()
        add_result(
            store,
            decoder,
            1 + at / 10,
            i2t=f"{encoder}.csv",
            adapter="start_image",
            revision="",
            seconds=seconds,
        )


def chosen(store: AnyStore, **options: float) -> list[str]:
    plan = plan_store(store, ULB, submitter="ada", **{"limit": 9, **options})  # type: ignore[arg-type]
    return [f"{one.pair.encoder[0]} {one.pair.decoder}" for one in plan.planned]


def test_each_request_is_asked_for_its_systems_once_however_many_gaps_a_table_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path / "cmc-store")
    fill(store, "a x", "a y", "a z", "b x", "c x")
    asked: list[System] = []

    def counted(system: System) -> str:
        asked.append(system)
        return system_key(system)

    monkeypatch.setattr(planning, "system_key", counted)
    assert len(plan_store(store, ULB, submitter="ada", limit=9).planned) == 4
    # Of five results and of the queue's five requests, an encoder and a decoder.
    assert len(asked) == 2 * (5 + 5)


def test_the_gaps_of_a_store_are_planned_by_their_seconds_and_queued_behind_people(
    store: AnyStore,
) -> None:
    fill(store, "a x", "a y", "b x")
    fill(store, "b z", "a w", seconds=(1, 7))
    plan = plan_store(store, ULB, submitter="ada", limit=9)
    assert {f"{one.pair.encoder[0]} {one.pair.decoder}" for one in plan.planned} == {
        *("b y", "a z", "b w"),
    }
    assert plan.planned[0].pair.decoder == "y"
    # Of a pair: a caption's second, and two modes of the decoder.
    seconds = {one.pair.decoder: one.pair.seconds for one in plan.planned}
    assert seconds == {"y": len(NAMES) * 5, "z": len(NAMES) * 15, "w": len(NAMES) * 15}
    assert all(one.pair.standard_error is None for one in plan.planned)
    first = replace(plan, planned=plan.planned[:2])
    queued = queue_plan(store, first, LIMITS)
    assert [one.refused for one in queued] == [(), ()]
    assert [s.priority for s in map(store.state, (q.request_id for q in queued))] == [PRIORITY] * 2
    history = store.events(queued[0].request_id)
    assert history[0].reason.startswith("submitted; planned, gain 0.")
    person = replace(plan.planned[2].request, submitter="bob")
    store.submit(person)
    waiting = [entry.request.request_id for entry in store.queue() if entry.position]
    assert waiting == [person.request_id, *(one.request_id for one in queued)]
    claim = store.take("worker")
    assert claim is not None
    assert claim.request == person
    # What waits or runs is not planned a second time.
    again = plan_store(store, ULB, submitter="ada", limit=9)
    assert again.planned == ()
    assert again.left_out == {"already pending": 2, "already running": 1}
    assert "no pair is left that could be planned" in again.sentence
    assert check_ledger(store.ledger).problems == []


def test_what_failed_or_was_withdrawn_or_has_no_seconds_is_left_out(store: AnyStore) -> None:
    fill(store, "a x", "a y", "b x")
    (request,) = [one.request for one in plan_store(store, ULB, submitter="ada", limit=9).planned]
    store.withdraw(store.submit(request).state.request_id, "ada")
    plan = plan_store(store, ULB, submitter="ada", limit=9)
    assert (plan.planned, plan.left_out) == ((), {"already withdrawn": 1})
    fill(store, "b z", seconds=None)
    plan = plan_store(store, ULB, submitter="ada", limit=9)
    assert plan.left_out == {"already withdrawn": 1, "seconds not known of both systems": 1}


def test_an_account_s_share_of_the_queue_holds_for_plans(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    fill(store, *(f"a {d}" for d in "uvwxyz"), *(f"{e} u" for e in "bc"))
    plan = plan_store(store, ULB, submitter="ada", limit=9)
    assert len(plan.planned) == 9
    queued = queue_plan(store, plan, LIMITS)
    assert [bool(one.refused) for one in queued] == [False] * 5 + [True] * 4
    assert queued[-1].refused[0].code is Code.QUOTA_EXCEEDED
    assert not any(one.refused for one in queue_plan(store, plan, UNSHARED))


def test_groups_are_joined_and_a_row_alone_has_nothing_to_plan(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    with pytest.raises(StatisticsError, match="no result"):
        plan_store(store, ULB, submitter="ada", limit=9)
    fill(store, "a x", "a y")
    plan = plan_store(store, ULB, submitter="ada", limit=9)
    assert plan.planned == ()
    assert plan.sentence.startswith("every pair of 1 encoder and 2 decoders has been run")
    fill(store, "b z")
    assert len(chosen(store)) == 1
    assert chosen(store, budget_hours=1e-9) == []
    with pytest.raises(StatisticsError, match="no pair here has a score in all modes of t2i-elb"):
        plan_store(store, Track.T2I_ELB, submitter="ada", limit=9)


def test_the_command_plans_queues_and_a_worker_fills_the_matrix(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    captions: Path,
    t2i: str,
) -> None:
    store, bench = FolderStore(captions.with_name("cmc-store")), make_bench()
    other = captions.with_name("other.csv")
    other.write_text(captions.read_text().replace("blue", "red"))
    modes = (Mode.FULL, Mode.IMAGE)
    for i2t, decoder in ((captions, t2i), (captions, "start-image"), (other, t2i)):
        request = ask(i2t=f"file:{i2t}", t2i=decoder, modes=modes, role=Role.T2I)
        store.submit(request)
        with store.claim("tests") as claim:
            assert claim is not None
            evaluation = evaluate(request, bench)
            store.finish(claim, evaluation.result, evaluation.per_image)
    plan = json.loads(cmc("plan", "--json").stdout)
    (planned,) = plan["planned"]
    assert (planned["pair"]["encoder"], planned["pair"]["decoder"]) == ("other.csv", "start-image")
    assert planned["pair"]["seconds"] > 0
    assert store.queue()[0].position is None
    said = cmc("plan", "--submit", "--budget-gpu-hours", "1").stdout
    assert "together they take away" in said
    assert "1 queued behind what people submitted" in said
    assert work(store, bench, once=False, say=lambda _: None).finished == 1
    full = cmc("plan", "--submit").stdout
    assert "every pair of 2 encoders and 2 decoders has been run" in full
    assert len(store.queue()) == 4
    assert "wanted --limit from 1" in cmc("plan", "--limit", "0", status=1).stderr
