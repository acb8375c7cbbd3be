"""Records go to JSON and back unchanged, and refuse what is not theirs."""

import dataclasses
import json
import math
import typing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from protocol.errors import InputError, PictureError, RecordError
from protocol.jsonable import from_json, to_json, to_plain
from protocol.records import Request, Score, System
from protocol.rules import PIXEL_BITS_PER_CHANNEL, PIXEL_BLOCK, Dimension, Mode, Role
from protocol.samples import list_samples, parse_name
from protocol.system_names import names_with_partners
from protocol.versions import PROTOCOLS, find_protocol


def make_request(**changes: Any) -> Request:
    fields: dict[str, Any] = {
        "role": Role.T2I,
        "i2t": System(adapter="file", model="gpt4v.csv", revision="a" * 40, path="gpt4v.csv"),
        "t2i": System(adapter="start-image", model="", revision="", path=""),
        "codec": None,
        "modes": (Mode.FULL, Mode.IMAGE),
        "protocol": "demo-0",
        "dataset": "demo",
        "dataset_sha256": "0" * 64,
        "submitter": "ada",
        "submitted_at": "2026-11-22T00:00:00.000Z",
    }
    return Request(**{**fields, **changes})


def test_a_request_survives_json() -> None:
    request = make_request()
    assert from_json(Request, to_json(request)) == request


def test_what_a_type_is_made_of_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = to_json(make_request())
    read = from_json(Request, text)
    monkeypatch.delattr(typing, "get_origin")
    assert from_json(Request, text) == read


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "unknown keys \\['colour'\\]"),
        ({"role": "T3I"}, "wanted one of I2T, T2I, codec"),
        ({"modes": "full"}, "wanted a list"),
        ({"modes": ["fuller"]}, "Request.modes\\[0\\]"),
        ({"protocol": 7}, "Request.protocol: wanted a str"),
        ({"i2t": []}, "wanted an object"),
        ({"declared": []}, "Request.declared: wanted an object"),
    ],
)
def test_a_request_of_another_form_is_refused_with_the_place(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecordError, match=message):
        from_json(Request, json.dumps({**to_plain(make_request()), **change}))


@pytest.mark.parametrize("text", [b"\xff\xfe", b"[" * 100_000])
def test_text_that_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(RecordError, match="not JSON"):
        from_json(Request, text)


def test_equal_records_are_equal_bytes_whatever_order_they_were_made_in() -> None:
    one, other = (
        make_request(declared=dict(pairs), submitter="Ünal")
        for pairs in ([("b", "2"), ("a", "1")], [("a", "1"), ("b", "2")])
    )
    assert to_json(one) == to_json(other)
    assert '\n "declared": {\n  "a": "1",\n  "b": "2"\n },' in to_json(one)
    assert "Ünal" in to_json(one)


def test_a_number_that_is_not_finite_is_not_written() -> None:
    score = Score(
        mode=Mode.TEXT, dimension=Dimension.FR, content=None, images=1, not_scored=0, mean=math.nan
    )
    with pytest.raises(RecordError, match="a Score holds a number that is not finite"):
        to_json(score)
    assert '"mean": NaN' in to_json(score, only_finite=False)


def test_true_and_digits_in_quotes_are_no_numbers() -> None:
    score = Score(
        mode=Mode.TEXT, dimension=Dimension.FR, content=None, images=1, not_scored=0, mean=None
    )
    with pytest.raises(RecordError, match="wanted a int"):
        from_json(Score, json.dumps({**to_plain(score), "images": True}))
    for wrong in (True, "0.5"):
        with pytest.raises(RecordError, match="wanted a float"):
            from_json(Score, json.dumps({**to_plain(score), "mean": wrong}))
    whole = from_json(Score, json.dumps({**to_plain(score), "mean": 1}))
    assert isinstance(whole.mean, float)


def test_the_id_ignores_who_asks_and_when_and_where_the_files_lie() -> None:
    request = make_request()
    assert request.i2t is not None
    same = make_request(
        submitter="bob",
        submitted_at="2027-01-01T00:00:00.000Z",
        modes=(Mode.IMAGE, Mode.FULL),
        i2t=dataclasses.replace(request.i2t, path="elsewhere/gpt4v.csv"),
    )
    assert same.request_id == request.request_id


def test_a_folder_of_a_setting_is_known_by_its_name_and_a_hub_id_by_its_owner_too() -> None:
    def asked(second: str) -> Request:
        settings = {"adapter": second}
        return make_request(
            t2i=System(adapter="animatediff", model="a/b", revision="", path="", settings=settings)
        )

    here, there = asked("/home/ada/motion@1f"), asked("/srv/motion@1f")
    assert here.request_id == there.request_id
    assert here.label == "a/b (adapter motion@1f)"
    assert asked("ada/motion@1f").request_id != asked("bob/motion@1f").request_id
    assert asked("ada/motion@1f").label == "a/b (adapter ada/motion@1f)"


def test_a_request_s_id_is_worked_out_once_and_a_changed_copy_has_its_own() -> None:
    request = make_request()
    assert request.request_id is request.request_id
    assert dataclasses.replace(request, protocol="cmc-1").request_id != request.request_id
    assert request == make_request()
    assert to_json(request) == to_json(make_request())


def test_an_id_is_the_same_in_every_version_of_the_code() -> None:
    # A ledger's folders and a board's links carry it.
    assert make_request().request_id == "989ffeb371a297aba938"


def test_the_id_changes_with_everything_that_changes_the_result() -> None:
    request = make_request()
    assert request.i2t is not None
    changed = [
        make_request(role=Role.I2T),
        make_request(modes=(Mode.FULL,)),
        make_request(protocol="cmc-1"),
        make_request(dataset="other"),
        make_request(dataset_sha256="1" * 64),
        make_request(i2t=dataclasses.replace(request.i2t, revision="b" * 40)),
    ]
    assert len({r.request_id for r in [request, *changed]}) == len(changed) + 1


@pytest.mark.parametrize(
    "name", ["NSI_pgc_000.jpg", "nsi_pgc_000.png", "NSI__000.png", "../NSI_pgc_000.png", "x.png"]
)
def test_a_name_that_is_not_the_benchmarks_is_refused(name: str) -> None:
    with pytest.raises(PictureError, match=r"wanted CONTENT_source_000\.png"):
        parse_name(name)


@pytest.mark.parametrize("name", ["NSI_pgc_001.jpg", "NSI_pgc_001.JPEG", "photo.webp"])
def test_a_picture_that_is_no_png_is_not_left_out_without_a_word(tmp_path: Path, name: str) -> None:
    for beside in ("NSI_pgc_000.png", "captions.csv", "._NSI_pgc_000.jpg"):
        (tmp_path / beside).write_bytes(b"")
    assert [sample.name for sample in list_samples(tmp_path)] == ["NSI_pgc_000.png"]
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(PictureError, match=f"1 pictures are no PNG files .*{name}"):
        list_samples(tmp_path)


def test_an_unknown_protocol_is_answered_with_those_there_are() -> None:
    with pytest.raises(InputError, match="cmc-1, demo-1, demo-0"):
        find_protocol("cmc-9")


def test_protocols_are_found_by_the_name_they_carry() -> None:
    assert all(find_protocol(name).name == name for name in PROTOCOLS)


def test_what_is_called_cmc_1_never_changes() -> None:
    # Its rows share a table with those of last year; another figure is another protocol.
    found = find_protocol("cmc-1")
    assert to_plain(found) == {
        "name": "cmc-1",
        "summary": found.summary,
        "indicators": {"fr": "topiq_fr", "nr": "topiq_nr"},
        "longest_side": 1024,
        "steps": 40,
        "strength": {"text": 1.0, "pixel": 0.8, "image": 0.5, "full": 0.5},
        "vvc_qp": 53,
        "text_coder": "zlib",
        "text_prior": "",
        "caption_words": 20,
        "image_prompt": "High quality, masterpiece, clean, high-resolution, 8k",
        "seed": 42,
    }
    assert found.caption_prompt == (
        "Generate an informative paragraph in 20 words based on the image. "
        "Considering Light, Color, Clarity."
    )
    assert (PIXEL_BLOCK, PIXEL_BITS_PER_CHANNEL) == (64, 3)


class Pair(NamedTuple):
    model: str
    partner: str


def test_a_name_that_two_rows_share_is_told_with_its_partner_where_there_is_one() -> None:
    pairs = [Pair("start-image", ""), Pair("start-image", "captions.csv"), Pair("other", "x")]
    assert names_with_partners(pairs) == ["start-image", "start-image with captions.csv", "other"]
