"""Requests against what was asked for before: modes, duplicates and quotas."""

from collections.abc import Callable
from typing import Any

import pytest
from made_facts import codes, facts

from protocol.records import Request
from protocol.rules import Mode, Role
from submission.facts import ModelFacts
from submission.findings import Code
from submission.history import Earlier, History
from submission.intake import examine_request


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
        from dataclasses import replace

        made = ask(modes=changes.pop("modes", (Mode.FULL,)), i2t=changes.pop("i2t", None))
        later = {"submitted_at": "2026-11-22T10:00:00Z", "submitter": "ada"}
        return replace(made, **{**later, **changes})

    return make


def test_modes_must_fit_the_model(request_of: Callable[..., Request]) -> None:
    def found(request: Request, **known: ModelFacts) -> set[Code]:
        return codes(examine_request(request, known, History()))

    captionless = request_of()
    assert found(captionless) == {Code.MODE_UNSUPPORTED}
    assert not found(request_of(modes=(Mode.IMAGE,)))
    assert found(request_of(modes=(Mode.TEXT,)), t2i=facts()) == {Code.MODE_UNSUPPORTED}


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
    assert found(submitter="ada") == {Code.DUPLICATE_WEIGHTS}
    assert not found(fingerprints=("e" * 40,))
    assert not found(model=mine.compared.model if mine.compared else "")
    assert not found(status="WITHDRAWN")


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
    assert not found(20, submitter="ada", submitted_at="2026-11-14T10:00:00Z")


def test_names_of_a_request_are_judged_too(request_of: Callable[..., Request]) -> None:
    request = request_of(modes=(Mode.IMAGE,), dataset="<script>", declared={"paper": "x", "y": "z"})
    assert codes(examine_request(request, {}, History())) == {Code.BAD_TEXT, Code.BAD_FORM}
    assert request.role is Role.T2I
