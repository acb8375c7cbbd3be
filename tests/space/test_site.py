"""The site's files, its export, its snapshots and what programs ask of it."""

import csv
import io
import json
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from list_source import ListSource
from make_results import make_result, make_store

from protocol.errors import InputError, StoreError
from protocol.files import write_whole
from protocol.records import System
from protocol.rules import Track
from protocol.system_names import distinct_names, system_key
from space.api import find_record, find_rows
from space.badge import badge
from space.export import export_site, main
from space.formats import to_csv, to_parquet
from space.rows import Rows
from space.shop import Shop
from space.site import build_site
from space.snapshot import SnapshotKeeper, read_snapshot
from space.sources import open_source
from space.table import CONTENTS, TRACKS_SHOWN, board


def test_csv_and_parquet_hold_every_row_of_every_bench() -> None:
    shown = board(Track.T2I_ULB, "all", Rows(make_store()))
    lines = list(csv.DictReader(io.StringIO(to_csv(shown).decode())))
    table = pq.read_table(io.BytesIO(to_parquet(shown)))
    assert len(lines) == table.num_rows == sum(len(one.lines) for one in shown.tables)
    assert [line["model"] for line in lines] == table.column("model").to_pylist()
    assert float(lines[0]["overall"]) == table.column("overall")[0].as_py()


def test_a_board_without_rows_is_a_table_with_titles_and_no_lines() -> None:
    empty = csv.DictReader(io.StringIO(to_csv(board(Track.CODEC, "all", Rows())).decode()))
    assert empty.fieldnames == ["bench", "track", "content"]
    assert list(empty) == []


def test_a_name_that_a_spreadsheet_would_run_gets_a_quote() -> None:
    shown = board(Track.T2I_ULB, "all", Rows([make_result("=HYPERLINK(1)")]))
    assert b"'=HYPERLINK(1)" in to_csv(shown)


def test_every_file_of_the_site_can_be_made() -> None:
    source = ListSource(make_store())
    snapshot = read_snapshot(source, source.revision())
    site = build_site(snapshot, Rows(snapshot.results), source)
    assert {f"data/board/{t}.{c}.json" for t in TRACKS_SHOWN for c in CONTENTS} <= set(site)
    for path in site:
        content = site.read(path)
        assert content
        if path.endswith(".json"):
            json.loads(content)


def test_a_new_result_is_read_when_the_revision_changes_and_kept_when_the_source_fails() -> None:
    source = ListSource([make_result("one")])
    shop = Shop(source)
    source.content.append(make_result("two"))
    shop.keeper.refresh()
    source.fails = True
    shop.keeper.refresh()
    rows = find_rows(shop, "t2i-ulb", "all")
    assert {"one", "two"} <= {row["model"] for row in rows}
    assert shop.status()["problem"] == "StoreError: the Hub does not answer"
    source.fails = False
    shop.keeper.refresh()
    assert shop.status()["problem"] == ""


def test_a_process_starts_from_the_kept_snapshot_while_the_source_is_away(tmp_path: Path) -> None:
    source = ListSource([make_result("kept")])
    SnapshotKeeper(source, tmp_path / "snapshot.json").refresh()
    source.fails = True
    keeper = SnapshotKeeper(source, tmp_path / "snapshot.json")
    keeper.begin(10)
    assert [result.request.label for result in keeper.snapshot.results] == ["kept"]


@pytest.mark.parametrize("content", [b'{"old": 1}', b"", b'{"revision": "x"', b"\xff\xfe", b"[]"])
def test_a_kept_snapshot_of_another_form_or_damaged_is_as_good_as_absent(
    tmp_path: Path, content: bytes
) -> None:
    kept = tmp_path / "snapshot.json"
    kept.write_bytes(content)
    keeper = SnapshotKeeper(ListSource([make_result()]), kept)
    assert keeper.snapshot.results == ()
    keeper.begin(10)
    assert len(keeper.snapshot.results) == 1
    assert SnapshotKeeper(ListSource(), kept).snapshot == keeper.snapshot


def test_without_a_snapshot_and_a_source_the_published_rows_are_shown_until_it_answers() -> None:
    source = ListSource([make_result("late")])
    source.fails = True
    shop = Shop(source)
    assert {row["source"] for row in find_rows(shop, "t2i-ulb", "all")} == {"published"}
    status = shop.status()
    assert (status["revision"], status["problem"]) == ("", "StoreError: the Hub does not answer")
    since = status["failing_since"]
    assert since.endswith("Z")
    shop.keeper.refresh()
    assert shop.status()["failing_since"] == since
    source.fails = False
    shop.keeper.refresh()
    assert "late" in {row["model"] for row in find_rows(shop, "t2i-ulb", "all")}
    assert (shop.status()["problem"], shop.status()["failing_since"]) == ("", "")


def labels(keeper: SnapshotKeeper) -> list[str]:
    return [result.request.label for result in keeper.snapshot.results]


def test_a_source_that_hangs_holds_up_neither_the_start_nor_the_next_look() -> None:
    source = ListSource([make_result("late")])
    source.may_answer.clear()
    keeper = SnapshotKeeper(source)
    keeper.begin(0.01)
    keeper.refresh()  # returns: the first reading is still under way
    assert labels(keeper) == []
    source.may_answer.set()
    keeper.begin(10)
    for _ in range(500):
        if labels(keeper) == ["late"]:
            break
        time.sleep(0.01)
    assert labels(keeper) == ["late"]


def test_whatever_a_source_raises_the_page_stays_up_and_strangers_read_no_folder() -> None:
    class Odd(ListSource):
        def revision(self) -> str:
            raise ValueError("Expecting value in /home/someone/secret/file.json\n" + "x" * 10_000)

    problem = Shop(Odd()).status()["problem"]
    assert problem.startswith("ValueError: Expecting value in …/file.json x")
    assert len(problem) < 500


def test_rows_and_records_are_answered_and_wrong_questions_refused_with_what_there_is() -> None:
    result = make_result("asked")
    shop = Shop(ListSource([result]))
    (row,) = [row for row in find_rows(shop, "t2i-ulb", "NSI") if row["model"] == "asked"]
    assert row["request"] == result.request.request_id
    record = find_record(shop, row["request"])
    assert record["request"]["t2i"]["model"] == "asked"
    with pytest.raises(InputError, match="there are t2i-ulb, t2i-elb"):
        find_rows(shop, "t2v", "all")
    with pytest.raises(InputError, match=r"no result '\.\./\.\./etc'"):
        find_record(shop, "../../etc")


def test_export_writes_every_file_and_replaces_an_older_export(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    count = export_site("", folder)
    written = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert len(written) == count + 1
    (folder / "data" / "gone.json").write_text("{}")
    mark = folder / ".cmc-site"
    mark.write_text(f"{mark.read_text()}\ndata/gone.json\n../outside.txt")
    (tmp_path / "outside.txt").write_text("stays")
    export_site("", folder)
    assert not (folder / "data" / "gone.json").exists()
    assert (tmp_path / "outside.txt").read_text() == "stays"


def test_export_touches_no_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty and no earlier export"):
        export_site("", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_export_that_is_stopped_says_that_it_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(path: Path, content: bytes) -> None:
        if path.suffix == ".csv":
            raise KeyboardInterrupt
        write_whole(path, content)

    monkeypatch.setattr("space.export.write_whole", stop)
    assert main(["", str(tmp_path / "site")]) == 130
    assert "is not whole until it is exported again" in capsys.readouterr().err


def test_a_folder_that_is_no_store_replaces_no_export_and_no_kept_snapshot(tmp_path: Path) -> None:
    export_site("", tmp_path / "site")
    with pytest.raises(StoreError, match="is no store: it is no folder"):
        export_site(str(tmp_path / "not-mounted"), tmp_path / "site")
    assert (tmp_path / "site" / "index.html").is_file()
    kept = tmp_path / "snapshot.json"
    SnapshotKeeper(ListSource([make_result("kept")]), kept).refresh()
    shop = Shop(open_source(str(tmp_path / "not-mounted")), kept)
    shop.keeper.refresh()
    assert "is no store" in shop.status()["problem"]
    assert labels(shop.keeper) == labels(SnapshotKeeper(ListSource(), kept)) == ["kept"]


def test_a_snapshot_that_cannot_be_kept_is_no_fault_of_the_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    keeper = SnapshotKeeper(ListSource([make_result("shown")]), tmp_path / "file" / "snapshot.json")
    keeper.refresh()
    assert (labels(keeper), keeper.problem) == (["shown"], "")
    assert "the snapshot is not kept, see CMC_SNAPSHOT" in caplog.text


def test_whoever_runs_the_server_reads_once_in_its_log_why_the_store_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = ListSource()
    source.fails = True
    keeper = SnapshotKeeper(source)
    for _ in range(3):
        keeper.refresh()
    assert caplog.text.count("the store cannot be read: StoreError: the Hub does not answer") == 1


def test_what_shares_a_label_is_told_apart_by_revision_or_else_by_adapter() -> None:
    def named(*systems: System) -> list[str]:
        names = distinct_names(systems)
        return [names[system_key(system)] for system in systems]

    one = System(adapter="openai", model="a/b", revision="", path="")
    same = System(adapter="openai", model="a/b", revision="", path="/elsewhere")
    pinned = System(adapter="transformers", model="a/b", revision="c" * 40, path="")
    assert named(one, same) == ["a/b", "a/b"]
    assert named(one, pinned) == ["a/b [openai]", "a/b [transformers, cccccccc]"]


def test_a_badge_says_rank_and_overall_with_the_name_as_text() -> None:
    assert b"#1 of 12 \xc2\xb7 2.647" in (badge("t2i-ulb/DiffBIR", Rows()) or b"")
    assert badge("t2i-ulb/nobody", Rows()) is None
    assert badge("nowhere/DiffBIR", Rows()) is None
