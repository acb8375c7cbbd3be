"""Caption files: what speaks against one, and that it travels with its request."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_hub import LoopbackHub
from made_requests import request_for, result_of

from protocol.errors import StoreError
from protocol.failures import FailureCode
from protocol.records import Request, System
from protocol.rules import MAX_CAPTION_BYTES, Mode, Role
from submission.caption_files import (
    LARGEST_BYTES,
    caption_system,
    check_captions,
    files_to_store,
    parse_captions,
    stored_path,
    with_captions_here,
)
from submission.findings import Code
from submission.ledger_check import check_ledger
from submission.queue import make_failure
from submission.store import FolderStore, Store
from submission.store_hub import HubStore

PICTURES = ("NSI_pgc_000.png", "SCI_screen_001.png")
GOOD = b'\xef\xbb\xbfname,text\nNSI_pgc_000.png,A dog.\nSCI_screen_001.png,"A window, blue."\n'


def said(content: bytes, name: str = "c.csv", pictures: tuple[str, ...] = PICTURES) -> str:
    found = list(check_captions(content, name, pictures))
    assert {one.code for one in found} <= {Code.BAD_CAPTIONS}
    assert all(one.remedy for one in found)
    return "; ".join(one.sentence for one in found)


def test_csv_and_json_lines_say_the_same() -> None:
    captions = {"NSI_pgc_000.png": "A dog.", "SCI_screen_001.png": "A window, blue."}
    lines = "".join(f'{{"name": "{n}", "text": "{t}"}}\n' for n, t in captions.items())
    assert parse_captions(GOOD, "c.csv") == parse_captions(lines.encode(), "c.jsonl") == captions
    assert said(GOOD) == said(lines.encode(), "c.jsonl") == ""


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has the columns none"),
        (b"name,text\n", "there is no caption in it"),
        (b"picture,caption\nx,y\n", "has the columns picture, caption"),
        (b"name,text\nNSI_pgc_000.png,\xff\xfe\n", "is no UTF-8"),
        (b'name,text\nNSI_pgc_000.png,"open', "is no CSV"),
        (b"name,text\n\0\n", "c.csv"),
        (GOOD + b"NSI_pgc_000.png,Again.\n", "row 3: NSI_pgc_000.png comes twice"),
        (b"name,text\nNSI_pgc_000.png\n", "row 1 has 1 field, wanted 2"),
        (b"name,text,by\nNSI_pgc_000.png,A dog.\n", "row 1 has 2 fields, wanted 3"),
        (
            b"name,text\nNSI_pgc_000.png,A ginger cat, looking aside, on a sofa\n",
            "row 1 has 4 fields, wanted 2; a text with commas stands in quotation marks",
        ),
        (b"name,text,text\nNSI_pgc_000.png,A dog.,A cat.\n", "has the column text twice"),
        (GOOD.replace(b"A dog.", b" "), "the caption of NSI_pgc_000.png is empty"),
        (b"name,text\nNSI_pgc_000.png,A dog.\n", "1 of 2 pictures have no caption: SCI_screen_001"),
        (GOOD.replace(b"A dog.", b"x" * MAX_CAPTION_BYTES), "NSI_pgc_000.png has more than 16,383"),
        (b"x" * (LARGEST_BYTES + 1), "has 1,048,577 bytes"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_the_line(content: bytes, sentence: str) -> None:
    assert sentence in said(content)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"name": "NSI_pgc_000.png", "text": "\\ud83d"}', "row 1: NSI_pgc_000.png has half a"),
        ('{"name": "\\udc00", "text": "x"}', "row 1: \\udc00 has half a character"),
        ("[" * 100_000, "row 1: not JSON (maximum recursion depth"),
        ('["name", "text"]', "row 1: wanted an object"),
        (
            '{"name": "NSI_pgc_000.png", "text": "A dog.", "text": "A cat."}',
            "row 1: not JSON (the key 'text' stands twice in one object)",
        ),
        ('{"name": "NSI_pgc_000.png", "text": 5}', "row 1: wanted a `name` and a `text`, found"),
        ('\n{"text": "x"}', "row 2: wanted a `name` and a `text`, found"),
        ('{"name": "", "text": "x"}', "row 1: wanted a `name` and a `text`, found"),
    ],
)
def test_a_line_that_json_has_and_a_caption_has_not_is_said(line: str, sentence: str) -> None:
    assert sentence in said(line.encode(), "c.jsonl")


def test_a_text_may_hold_what_ends_a_line_elsewhere() -> None:
    told = dict.fromkeys(PICTURES, "A dog.\u2028A \x85window.\x0b")
    lines = [json.dumps({"name": n, "text": t}, ensure_ascii=False) for n, t in told.items()]
    content = "\r\n\r\n".join(lines).encode()
    assert said(content, "c.jsonl") == ""
    assert parse_captions(content, "c.jsonl") == {n: t.strip() for n, t in told.items()}


def test_an_empty_caption_of_a_picture_that_is_not_asked_for_does_no_harm() -> None:
    content = GOOD.replace(b"A dog.", b"")
    assert said(content, pictures=PICTURES[1:]) == ""
    assert said(content, pictures=()) == "the caption of NSI_pgc_000.png is empty"


def test_where_the_pictures_are_not_known_their_names_form_is_checked() -> None:
    assert said(b"name,text\n../../etc/passwd,x\n", pictures=()) == (
        "../../etc/passwd is no name of a picture"
    )
    # Captions of more pictures than are asked for do no harm: a file may serve a subset.
    assert said(GOOD, pictures=PICTURES[:1]) == ""


@pytest.mark.parametrize("name", ["c.txt", "../c.csv", "a\\c.csv", "", ".csv/x"])
def test_a_name_that_is_no_caption_file_s_is_refused(name: str) -> None:
    assert "is no name of a caption file" in said(GOOD, name)


@pytest.fixture(params=["folder", "hub"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "store")
        return
    with LoopbackHub(tmp_path / "lfs") as hub:
        hub_store = HubStore(
            "acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "cache"
        )
        hub_store.create()
        yield hub_store


def asked(i2t: System) -> Request:
    t2i = System(adapter="start_image", model="", revision="", path="")
    codec = request_for(1)
    return replace(codec, role=Role.I2T, i2t=i2t, t2i=t2i, codec=None, modes=(Mode.FULL,))


def test_a_file_travels_with_its_request_and_a_worker_elsewhere_has_it(
    store: Store, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_bytes(GOOD)
    system = replace(caption_system(GOOD, "mine.csv"), path=str(mine))
    request = asked(system)
    # As it is on the submitter's machine; there the file itself is used.
    assert with_captions_here(request, store.ledger, tmp_path / "kept") == request
    store.submit(request, attached=files_to_store(request))
    mine.unlink()
    with store.claim("elsewhere") as claim:
        assert claim is not None
        here = with_captions_here(claim.request, store.ledger, tmp_path / "kept")
        assert here.request_id == request.request_id
        assert here.i2t is not None
        assert Path(here.i2t.path).read_bytes() == GOOD
        result = result_of(claim.request, b"x")
        store.finish(claim, result, b"x")
    assert check_ledger(store.ledger).problems == []


def test_a_request_that_failed_without_its_file_gets_it_when_it_is_sent_again(
    store: Store, tmp_path: Path
) -> None:
    request = asked(replace(caption_system(GOOD, "mine.csv"), path="/gone/mine.csv"))
    store.submit(request)
    with store.claim("w") as claim:
        assert claim is not None
        assert with_captions_here(claim.request, store.ledger, tmp_path) == request
        store.fail(claim, make_failure(FailureCode.INPUT_REFUSED, "evaluate", "no file"))
    store.submit(request, attached={stored_path(caption_system(GOOD, "mine.csv")): GOOD})
    here = with_captions_here(store.request(request.request_id), store.ledger, tmp_path)
    assert here.i2t is not None
    assert Path(here.i2t.path).read_bytes() == GOOD


def test_a_stored_file_that_was_changed_is_named_and_not_used(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    system = caption_system(GOOD, "mine.csv")
    store.submit(asked(system), attached={stored_path(system): GOOD})
    (store.folder / stored_path(system)).write_bytes(GOOD + b"NSI_x_009.png,y\n")
    with pytest.raises(StoreError, match="is not the file that the request names"):
        with_captions_here(asked(system), store.ledger, tmp_path)
    (problem,) = check_ledger(store.ledger).problems
    assert "changed outside the ledger" in problem
