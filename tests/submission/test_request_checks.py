"""Requests against what was asked for before: modes, duplicates and quotas."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_facts import codes, facts

from protocol.records import Request
from protocol.rules import Mode, Role
from submission.caption_files import caption_system
from submission.facts import ModelFacts
from submission.findings import Code
from submission.history import Earlier, History
from submission.identity import Account, SignedInBy
from submission.intake import examine_request
from submission.limits import ENDPOINTS, limits_for, shared_limits


def earlier(**changes: Any) -> Earlier:
    return Earlier(
        **{
            "request_id": "0" * 20,
            "submitter": "bob",
            "submitted_at": "2026-11-20T10:00:00Z",
            "status": "FINISHED",
            "model": "bob/other",
            **changes,
        }
    )


@pytest.fixture
def request_of(ask: Callable[..., Request]) -> Callable[..., Request]:
    def make(**changes: Any) -> Request:
        made = ask(modes=changes.pop("modes", (Mode.FULL,)), i2t=changes.pop("i2t", None))
        later = {"submitted_at": "2026-11-22T10:00:00Z", "submitter": "ada"}
        return replace(made, **{**later, **changes})

    return make


def test_modes_must_fit_the_model(request_of: Callable[..., Request]) -> None:
    def found(request: Request, **known: ModelFacts) -> set[Code]:
        return codes(examine_request(request, known, History()))

    captionless = request_of()
    assert found(captionless) == {Code.MODE_UNSUPPORTED}
    assert found(request_of(modes=(Mode.IMAGE, Mode.FULL))) == {Code.MODE_UNSUPPORTED}
    assert not found(request_of(modes=(Mode.IMAGE,)))
    assert found(request_of(modes=(Mode.TEXT,)), t2i=facts()) == {Code.MODE_UNSUPPORTED}


def test_image_mode_which_sends_no_caption_is_refused_for_an_i2t_model(
    request_of: Callable[..., Request], captions: Path
) -> None:
    request = request_of(role=Role.I2T, modes=(Mode.IMAGE,))
    request = replace(request, i2t=caption_system(captions.read_bytes(), captions.name))
    (found,) = examine_request(request, {}, History())
    assert (found.code, found.about) == (Code.MODE_UNSUPPORTED, "i2t")
    assert found.remedy == "ask for full, pixel"
    assert not examine_request(replace(request, modes=(Mode.PIXEL,)), {}, History())


def test_a_pipeline_without_image_to_image_paints_from_text_alone(ask: Callable[..., Any]) -> None:
    request = ask(t2i=f"diffusers:acme/pixart@{'b' * 40}", modes=(Mode.TEXT, Mode.FULL))
    (found,) = examine_request(
        request, {"t2i": facts(pipeline_class="PixArtSigmaPipeline")}, History()
    )
    assert found.code is Code.MODE_UNSUPPORTED
    assert found.remedy == "ask for text"


def test_the_same_request_of_another_account_is_a_duplicate(
    request_of: Callable[..., Request],
) -> None:
    mine = request_of(modes=(Mode.IMAGE,))

    def found(**changes: Any) -> set[Code]:
        before = History((earlier(request_id=mine.request_id, **changes),))
        return codes(examine_request(mine, {}, before))

    assert found() == {Code.DUPLICATE_REQUEST}
    assert not found(submitter="ada")
    assert not found(status="FAILED")
    assert not found(status="WITHDRAWN")


def test_the_same_weights_under_another_name_are_a_duplicate(
    request_of: Callable[..., Request],
) -> None:
    mine = request_of(modes=(Mode.IMAGE,), fingerprints=("f" * 40,))

    def found(**changes: Any) -> set[Code]:
        before = History((earlier(**{"fingerprints": ("e" * 40, "f" * 40), **changes}),))
        return codes(examine_request(mine, {}, before))

    assert found() == {Code.DUPLICATE_WEIGHTS}
    for status in ("PENDING", "RUNNING"):
        assert found(submitter="ada", status=status) == {Code.DUPLICATE_WEIGHTS}
    assert not found(fingerprints=("e" * 40,))
    assert not found(model=mine.compared.model if mine.compared else "")
    assert not found(status="WITHDRAWN")


def test_a_new_name_for_weights_with_a_row_of_ones_own_is_told_how_to_take_its_place(
    request_of: Callable[..., Request],
) -> None:
    mine = request_of(modes=(Mode.IMAGE,), fingerprints=("f" * 40,))
    own = earlier(request_id="1" * 20, submitter="ada", fingerprints=("f" * 40,))
    (told,) = examine_request(mine, {}, History((own,)))
    assert (told.code, told.refuses) == (Code.RENAMED, False)
    assert told.remedy.endswith(f"cmc queue --supersede {'1' * 20} {mine.request_id}")
    gone = earlier(submitter="ada", fingerprints=("f" * 40,), status="SUPERSEDED")
    assert not codes(examine_request(mine, {}, History((gone,))))
    foreign = earlier(fingerprints=("f" * 40,))
    (refused,) = examine_request(mine, {}, History((own, foreign)))
    assert refused.code is Code.DUPLICATE_WEIGHTS


def test_the_quota_is_the_submitters_and_not_the_model_owners(
    request_of: Callable[..., Request],
) -> None:
    mine = request_of(modes=(Mode.IMAGE,))

    def found(count: int, **changes: Any) -> set[Code]:
        before = [earlier(**{"request_id": f"{n:020}", **changes}) for n in range(count)]
        return codes(examine_request(mine, {}, History(tuple(before))))

    assert found(5, submitter="ada", status="PENDING") == {Code.QUOTA_EXCEEDED}
    assert not found(4, submitter="ada", status="RUNNING")
    assert not found(50, submitter="bob", status="PENDING")
    assert found(20, submitter="ada") == {Code.QUOTA_EXCEEDED}
    assert found(20, submitter="ada", submitted_at="2026-11-15T10:00:01Z")
    assert not found(20, submitter="ada", submitted_at="2026-11-15T09:59:59Z")
    # To send one of them once more takes no further place.
    again = [earlier(request_id=f"{n:020}", submitter="ada", status="PENDING") for n in range(4)]
    own = earlier(request_id=mine.request_id, submitter="ada", status="PENDING")
    assert not codes(examine_request(mine, {}, History((*again, own))))


def test_a_model_on_a_server_is_asked_only_where_it_was_opened_with_its_address(
    ask: Callable[..., Request],
) -> None:
    def found(i2t: str, opened: str, **changes: Any) -> list[tuple[Code, str]]:
        limits = shared_limits({ENDPOINTS: opened})
        request = ask(i2t=i2t, modes=(Mode.PIXEL,), submitter="ada", **changes)
        return [(one.code, one.about) for one in examine_request(request, {}, History(), limits)]

    closed = [(Code.ENDPOINT_CLOSED, "i2t")]
    here = "openai:a/b?base_url=http://127.0.0.1:9/v1"
    assert found("openai:gpt-4o", "") == closed
    assert found("openai:gpt-4o", "openai:gpt-4") == closed
    assert not found("openai:gpt-4o?max_calls=3", " openai:gpt-4o, openai:other")
    # Another address is another server, whatever the model is called there.
    assert found(here, "openai:a/b") == closed
    assert not found(here, here)
    painter = found("openai:gpt-4o", "openai:gpt-4o", t2i="openai-image:gpt-image-1")
    assert painter == [(Code.ENDPOINT_CLOSED, "t2i")]


def test_on_a_folder_its_machine_s_user_asks_whom_he_likes_and_a_reader_of_the_page_does_not() -> (
    None
):
    machine, reader = (Account("ada", by) for by in (SignedInBy.MACHINE, SignedInBy.SPACE))
    assert limits_for(machine, is_folder=True).endpoints is None
    assert limits_for(machine, is_folder=False).endpoints == frozenset()
    assert limits_for(reader, is_folder=True).endpoints == frozenset()


def test_names_of_a_request_are_judged_too(request_of: Callable[..., Request]) -> None:
    def found(**changes: Any) -> list[tuple[str, Code]]:
        request = request_of(modes=(Mode.IMAGE,), **changes)
        return [(one.about, one.code) for one in examine_request(request, {}, History())]

    assert found(dataset="<script>") == [("dataset", Code.BAD_TEXT)]
    assert found(submitter="a b\x1b[31m") == [("submitter", Code.BAD_TEXT)]
    assert found(declared={"paper": "x", "y": "z"}) == [
        ("form", Code.BAD_FORM),
        ("paper", Code.BAD_TEXT),
    ]
