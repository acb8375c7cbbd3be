"""What is shown of a row beside its scores: how often its account tried, where it leads, its BD."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from list_source import ListSource
from make_evidence import scored_by
from make_results import make_codec, make_request, make_result

from protocol.evidence import Evidence
from protocol.jsonable import from_json, to_json
from protocol.records import Request, Result
from protocol.rules import Content, Mode, Role, Track
from space.formats import board_lines
from space.rows import Rows
from space.shop import Shop
from space.snapshot import Snapshot, SnapshotKeeper, read_snapshot
from space.sources import StoreSource
from space.table import Board, Table, board
from space.verdict import Verdict
from submission.store import FolderStore

SCORES = ((0.50, 0.10), (0.62, 0.20), (0.71, 0.30), (0.80, 0.40))
RATES = (0.02, 0.05, 0.10, 0.20)
LADDERS = {"vvc": (53, 1.0, 4), "hevc": (51, 1.5, 4), "avc": (50, 2.0, 3)}
"""First QP, rates over VVC's for the same scores, and how many qualities."""


def codecs() -> list[Result]:
    return [
        make_codec(name, first - 5 * at, bpp=factor * bpp, consistency=fr, perception=nr)
        for name, (first, factor, count) in LADDERS.items()
        for at, (bpp, (fr, nr)) in enumerate(zip(RATES, SCORES, strict=True))
        if at < count
    ]


def measured(shown: Board) -> Table:
    (table,) = [table for table in shown.tables if "measured" in table.tag]
    return table


def column_of(table: Table, key: str) -> Mapping[str, object]:
    return {line.model: line.values.get(key) for line in table.lines}


def saying(result: Result, **declared: str) -> Result:
    return replace(result, request=replace(result.request, declared=declared))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("12", 12),
        ("1", 1),
        ("10000", 10_000),
        ("0", None),
        ("10001", None),
        ("²", None),
        ("", None),
    ],
)
def test_variants_tried_are_what_the_submitter_says_and_a_count_or_nothing(
    said: str, shown: int | None
) -> None:
    table = measured(
        board(Track.T2I_ULB, "all", Rows([saying(make_result("a"), variants_tried=said)]))
    )
    assert column_of(table, "variants_tried") == {"a": shown}


def test_a_request_says_variants_tried_without_being_another_request() -> None:
    result = make_result("a")
    assert saying(result, variants_tried="7").request.request_id == result.request.request_id


def test_that_nothing_was_said_has_a_column_of_models_and_none_of_codecs() -> None:
    results = [make_result("a"), *codecs()]
    for track, there in ((Track.T2I_ULB, True), (Track.CODEC, False)):
        table = measured(board(track, "all", Rows(results)))
        columns = {column.key: column for column in table.columns}
        assert ("variants_tried" in columns) is there
        assert not any(columns[key].shown for key in columns if key == "variants_tried")


def ask(store: FolderStore, model: str, submitter: str, pictures: str = "1") -> Request:
    request = make_request(
        model, role=Role.T2I, modes=(Mode.FULL,), protocol="demo-0", dataset="demo"
    )
    request = replace(request, submitter=submitter, dataset_sha256=64 * pictures)
    store.submit(request)
    return request


def test_an_account_s_submissions_on_a_bench_are_counted_with_those_withdrawn(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path / "store")
    kept = ask(store, "kept", "ada")
    store.withdraw(ask(store, "worse", "ada").request_id, "ada")
    store.withdraw(ask(store, "worst", "ada").request_id, "ada")
    elsewhere = ask(store, "kept", "ada", pictures="2")
    other = ask(store, "other", "bob")
    store.ledger.refresh()
    counts = StoreSource(store).submissions()
    ids = [request.request_id for request in (kept, elsewhere, other)]
    assert [counts[request_id] for request_id in ids] == [3, 1, 1]


def test_another_request_of_an_account_with_a_row_is_news_and_a_stranger_s_is_none(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path / "store")
    result = replace(make_result("kept"), per_image_sha256=hashlib.sha256(b"").hexdigest())
    store.submit(result.request)
    with store.claim("worker") as claim:
        assert claim is not None
        store.finish(claim, result, b"")
    shop = Shop(StoreSource(store))

    def count() -> object:
        shop.keeper.refresh()
        return column_of(measured(board(Track.T2I_ULB, "all", shop.rows)), "submissions")["kept"]

    assert count() == 1
    before = shop.status()["revision"]
    ask(store, "other", "bob")
    assert count() == 1
    assert shop.status()["revision"] == before
    store.withdraw(ask(store, "worse", result.request.submitter).request_id, "someone")
    assert count() == 2


def test_the_counts_travel_from_the_source_to_the_rows() -> None:
    source = ListSource([make_result("a"), make_result("b")])
    ids = [result.request.request_id for result in source.content]
    source.made = dict(zip(ids, (5, 1), strict=True))
    snapshot = read_snapshot(source, source.revision())
    table = measured(board(Track.T2I_ULB, "all", Rows.of(snapshot)))
    assert column_of(table, "submissions") == {"a": 5, "b": 1}


def test_a_snapshot_from_before_there_were_counts_is_read(tmp_path: Path) -> None:
    kept = tmp_path / "snapshot.json"
    snapshot = read_snapshot(ListSource([make_result("a")]), "r")
    text = to_json(snapshot)
    assert '"submissions": {}' in text
    kept.write_text(text.replace('"submissions": {},', ""), encoding="utf-8")
    keeper = SnapshotKeeper(ListSource(), kept)
    assert keeper.snapshot == snapshot
    assert from_json(Snapshot, text) == snapshot


def test_a_row_s_share_of_the_weightings_is_that_of_the_strip() -> None:
    results = [
        make_result("consistent", consistency=0.8, perception=0.2),
        make_result("pleasing", consistency=0.3, perception=0.7),
        make_result("neither", consistency=0.3, perception=0.2),
    ]
    table = measured(board(Track.T2I_ULB, "all", Rows(results)))
    shares = column_of(table, "lead_share")
    # The lines of the two cross where equal gaps of 0.5 weigh the same: in the middle.
    half = pytest.approx(0.5)
    assert shares == {"consistent": half, "pleasing": half, "neither": 0}
    assert [lead.weight_high - lead.weight_low for lead in table.leads] == [half, half]


def test_published_rows_have_shares_and_those_without_rank_have_none() -> None:
    (table,) = board(Track.T2I, "all", Rows()).tables
    ranked = [line.values["lead_share"] for line in table.lines if line.rank]
    assert math.fsum(float(str(share)) for share in ranked) == pytest.approx(1)
    others = [line for line in table.lines if not line.rank]
    assert others
    assert not any("lead_share" in line.values for line in others)


def test_two_revisions_of_one_model_lead_apart() -> None:
    one, two = make_result("same", perception=0.9), make_result("same", consistency=0.9)
    request = two.request
    assert request.t2i is not None
    two = replace(two, request=replace(request, t2i=replace(request.t2i, revision="b" * 40)))
    table = measured(board(Track.T2I_ULB, "all", Rows([one, two])))
    assert len({lead.model for lead in table.leads}) == 2
    shares = [line.values["lead_share"] for line in table.lines]
    assert sum(float(str(share)) for share in shares) == pytest.approx(1)


def test_bd_rates_stand_on_the_codecs_board_with_the_reason_where_there_is_none() -> None:
    table = measured(board(Track.CODEC, "all", Rows(codecs())))
    rates = column_of(table, "bd_rate_fr")
    assert rates["HEVC QP 46"] == pytest.approx(50)
    assert rates["VVC QP 53"] == pytest.approx(0)
    assert rates["AVC QP 45"] is None
    notes = column_of(table, "bd_rate_fr_note")
    assert notes["AVC QP 45"] == ("AVC has 3 points; a Bjontegaard difference needs 4 or more")
    assert notes["HEVC QP 46"] == "over 100 % of the range of their scores"
    assert {c.key: c.shown for c in table.columns if c.key.startswith("bd")} == {
        "bd_rate_fr": True,
        "bd_rate_nr": True,
    }
    (line,) = [
        line
        for line in board_lines(board(Track.CODEC, "all", Rows(codecs())))
        if line["model"] == "HEVC QP 51"
    ]
    assert line["bd_rate_nr"] == pytest.approx(50)


def test_the_codecs_verdict_names_the_thriftiest_where_it_is_known() -> None:
    behind = measured(board(Track.CODEC, "all", Rows(codecs())))
    assert behind.verdict == Verdict(
        "For the same consistency no codec takes fewer bits than VVC.",
        "For the same perception no codec takes fewer bits than VVC.",
    )
    thrifty = [
        make_codec("jxl", 50 - at, bpp=bpp / 2, consistency=fr, perception=nr)
        for at, (bpp, (fr, nr)) in enumerate(zip(RATES, SCORES, strict=True))
    ]
    ahead = measured(board(Track.CODEC, "all", Rows([*codecs(), *thrifty])))
    assert ahead.verdict.lead.startswith(
        "For the same consistency JPEG XL takes 50.0 % fewer bits than VVC, over 100 % of"
    )
    few = measured(board(Track.CODEC, "all", Rows(codecs()[:3])))
    assert few.verdict.lead.startswith("Codecs spend different rates")


def test_without_an_anchor_the_column_says_so_and_waits_to_be_asked_for() -> None:
    others = [result for result in codecs() if result.request.label.startswith("HEVC")]
    table = measured(board(Track.CODEC, "all", Rows(others)))
    assert set(column_of(table, "bd_rate_fr_note").values()) == {
        "VVC was not run on these pictures"
    }
    assert not any(column.shown for column in table.columns if column.key.startswith("bd"))


def test_legibility_stands_on_the_screens_board_and_where_else_it_was_measured() -> None:
    results = [make_result("read"), make_result("unread")]
    on_screens = Evidence(secondary=(scored_by(results[0], "legibility", (Content.SCI,)),))
    everywhere = Evidence(
        secondary=(scored_by(results[0], "legibility", (Content.SCI, Content.NSI)),)
    )
    for evidence, content, wanted in (
        (on_screens, "SCI", True),
        (on_screens, "NSI", None),
        (on_screens, "all", None),
        (everywhere, "NSI", False),
        (everywhere, "SCI", True),
        (Evidence(), "SCI", None),
    ):
        table = measured(board(Track.T2I_ULB, content, Rows(results, evidence=evidence)))
        columns = {column.key: column.shown for column in table.columns}
        assert columns.get("full_legibility") is wanted, (content, wanted)
        # Not every picture could be read in image mode, so there is no mean.
        assert "image_legibility" not in columns
        if wanted is not None:
            found = column_of(table, "full_legibility")
            assert found["read"] is not None
            assert found["unread"] is None


def test_other_indicators_wait_to_be_asked_for_and_rank_nothing() -> None:
    results = [make_result("a", consistency=0.2), make_result("b", consistency=0.6)]
    evidence = Evidence(secondary=(scored_by(results[0], "ssim", (Content.SCI,)),))
    table = measured(board(Track.T2I_ULB, "SCI", Rows(results, evidence=evidence)))
    assert {c.key: c.shown for c in table.columns if "ssim" in c.key} == {"full_ssim": False}
    assert [(line.rank, line.model) for line in table.lines] == [(1, "b"), (2, "a")]
    (line,) = [
        line
        for line in board_lines(board(Track.T2I_ULB, "SCI", Rows(results, evidence=evidence)))
        if line["model"] == "a"
    ]
    assert line["full_ssim"] == column_of(table, "full_ssim")["a"]
