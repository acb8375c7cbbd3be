"""What comes in over the page is checked by the rules of `cmc submit`, in the reader's own name."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from app_process import app_served
from make_results import make_request, make_result

from protocol.errors import InputError, SignInError, StoreError, SubmissionError
from protocol.rules import Mode, Role
from space.desk import Desk
from space.form import Form
from space.intake import check, store_of, submit, withdraw
from space.intake_routes import account_of
from space.plain import public_record
from space.sources import StoreSource, open_source
from submission.findings import Code
from submission.identity import Account, SignedInBy
from submission.limits import ENDPOINTS
from submission.store import FolderStore

READER = Account("reader", SignedInBy.SPACE)
BENCH = "demo-0 · demo (11111111)"


def fill(folder: Path) -> FolderStore:
    """Return a store with one request, whose bench and systems are open from then on."""
    store = FolderStore(folder)
    store.submit(
        make_request(
            "start-image", role=Role.T2I, modes=(Mode.FULL,), protocol="demo-0", dataset="demo"
        )
    )
    return store


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return fill(tmp_path / "store")


@pytest.fixture
def desk(store: FolderStore) -> Desk:
    return Desk(store, tuple)


def form(**changes: str) -> Form:
    filled = {"role": "T2I", "i2t": "gpt4v.csv", "t2i": "start-image", "bench": BENCH}
    return Form(**{**filled, **changes})


def test_what_is_declared_travels_with_the_request_and_a_wrong_count_is_refused(
    desk: Desk,
) -> None:
    answer = check(desk, form(role="I2T", variants_tried=" 12 ", comment="of three seeds"), READER)
    assert answer.request is not None
    assert answer.request.declared == {"variants_tried": "12", "comment": "of three seeds"}
    refused = check(desk, form(role="I2T", variants_tried="many"), READER)
    assert refused.request is None
    assert [(one.code, one.about) for one in refused.findings] == [
        (Code.BAD_TEXT, "variants_tried")
    ]


def test_known_systems_pass_and_the_request_is_queued_in_the_reader_s_name(
    desk: Desk,
) -> None:
    answer = check(desk, form(role="I2T"), READER)
    assert answer.findings == ()
    entry = submit(desk, form(role="I2T"), READER)
    assert answer.request is not None
    assert entry.request.request_id == answer.request.request_id
    assert (entry.request.submitter, entry.state.status) == ("reader", "PENDING")


@pytest.mark.parametrize(
    "text", ["/etc/passwd", "diffusers:/etc", "file:../../secret.csv", "file:a/b.csv", "x"]
)
def test_nothing_of_the_server_s_own_disk_can_be_named(desk: Desk, text: str) -> None:
    with pytest.raises(InputError, match=r"can be submitted here|is called"):
        check(desk, form(t2i=text), READER)


@pytest.mark.parametrize(
    "i2t",
    ["openai:gpt-4o", "openai:gpt-4o-2024-11-20", "GPT-4o", "openai:a/b?base_url=http://10.0.0.1"],
)
def test_a_reader_cannot_spend_the_worker_s_key_and_is_told_to_send_captions(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, i2t: str
) -> None:
    (found,) = check(desk, form(i2t=i2t), READER).findings
    assert (found.code, found.about) == (Code.ENDPOINT_CLOSED, "i2t")
    assert "caption file" in found.remedy
    with pytest.raises(SubmissionError, match="ENDPOINT_CLOSED"):
        submit(desk, form(i2t=i2t), READER)
    monkeypatch.setenv(ENDPOINTS, "openai:gpt-4o-2024-11-20")
    opened = check(desk, form(i2t=i2t), READER).request is not None
    assert opened == (i2t in ("GPT-4o", "openai:gpt-4o-2024-11-20"))


def test_a_bench_that_is_not_open_and_a_role_that_is_none_are_refused(desk: Desk) -> None:
    with pytest.raises(InputError, match="is not open"):
        check(desk, form(bench="mine"), READER)
    with pytest.raises(InputError, match="cannot be compared"):
        check(desk, form(role="codec"), READER)


def test_only_who_submitted_can_withdraw(desk: Desk) -> None:
    entry = submit(desk, form(role="I2T"), READER)
    with pytest.raises(SignInError, match="is reader's"):
        withdraw(desk, entry.request.request_id, Account("other", SignedInBy.SPACE))
    assert withdraw(desk, entry.request.request_id, READER).state.status == "WITHDRAWN"


def test_a_page_without_a_store_takes_no_submission() -> None:
    with pytest.raises(StoreError, match="no store behind it"):
        store_of(open_source(""))


def test_a_revision_changes_when_a_board_does_and_not_when_something_is_queued(
    store: FolderStore,
) -> None:
    source = StoreSource(store)
    before = source.revision()
    submit(Desk(store, tuple), form(role="I2T"), READER)
    assert source.revision() == before
    (store.folder / "statistics").mkdir()
    (store.folder / "statistics" / "x.json").write_text("{}")
    assert source.revision() != before


def test_a_public_record_names_no_folder_of_a_machine() -> None:
    record = public_record(make_result("asked"))
    assert "path" not in record["request"]["t2i"]
    assert record["request"]["t2i"]["model"] == "asked"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with app_served(fill(tmp_path_factory.mktemp("served") / "store")) as address:
        yield address


def post(address: str, action: str, body: dict[str, str], **headers: str) -> tuple[int, Any]:
    # The first waits until gradio is imported.
    answer = httpx.post(f"{address}intake/{action}", json=body, headers=headers, timeout=60)
    return answer.status_code, answer.json()


def test_a_form_from_another_page_is_turned_away(address: str) -> None:
    status, answer = post(address, "submit", {})
    assert (status, answer["error"]) == (403, "the request does not come from this page")


def test_over_http_checks_answer_live_and_errors_come_as_text(address: str) -> None:
    body = {"role": "I2T", "i2t": "gpt4v.csv", "t2i": "start-image", "bench": BENCH}
    status, answer = post(address, "check", body, **{"X-CMC": "1"})
    assert (status, answer["findings"]) == (200, [])
    assert len(answer["request_id"]) == 20
    assert "GPT-4o" in httpx.get(f"{address}intake/state", timeout=60).json()["named"]
    status, answer = post(address, "check", {**body, "t2i": "<b>"}, **{"X-CMC": "1"})
    assert status == 400
    assert "error" in answer


def test_a_form_that_is_no_form_is_refused_in_words(address: str) -> None:
    bench = httpx.get(f"{address}intake/state", timeout=60).json()["benches"][0]
    form = {"role": "T2I", "t2i": "start-image", "bench": bench, "captions_name": "a.csv"}
    for body in (b"[" * 100_000, json.dumps({**form, "captions": "\u00e9"}).encode()):
        sent = httpx.post(
            f"{address}intake/check", content=body, headers={"x-cmc": "1"}, timeout=60
        )
        assert (sent.status_code, "did not arrive whole" in sent.text) == (400, True)


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "evil.example:7860"},
        {"Origin": "https://board.example"},
        {"Referer": "https://board.example/?view=queue"},
        {"Referer": "http://["},
        {"Origin": "null"},
        {"X-Forwarded-For": "192.0.2.7"},
    ],
)
def test_who_asks_by_a_strangers_name_or_from_a_page_of_one_is_turned_away(
    address: str, header: dict[str, str]
) -> None:
    body = {"role": "I2T", "i2t": "gpt4v.csv", "t2i": "start-image", "bench": BENCH}
    status, answer = post(address, "submit", body, **{"X-CMC": "1", **header})
    assert (status, "only this machine's user" in answer["error"]) == (403, True)
    state = httpx.get(f"{address}intake/state", headers=header, timeout=60)
    assert state.json()["account"] == ""


def test_this_machines_own_page_is_this_machines_user(address: str) -> None:
    own = {"Origin": address.rstrip("/"), "Referer": address}
    assert httpx.get(f"{address}intake/state", headers=own, timeout=60).json()["account"]


def test_in_a_space_only_who_signed_in_is_somebody(tmp_path: Path) -> None:
    space = {
        "SYSTEM": "spaces",
        "SPACE_ID": "owner/space",
        "SPACE_HOST": "owner-space.hf.space",
        "OAUTH_CLIENT_ID": "client",
        "OAUTH_CLIENT_SECRET": "secret",
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": "http://127.0.0.1:9",
        "GRADIO_SERVER_NAME": "127.0.0.1",
    }
    body = {"role": "I2T", "i2t": "gpt4v.csv", "t2i": "start-image", "bench": BENCH}
    with app_served(fill(tmp_path / "store"), space) as address:
        for action in ("check", "submit", "withdraw", "follow"):
            status, answer = post(address, action, body, **{"X-CMC": "1"})
            assert (status, "nobody is signed in" in answer["error"]) == (403, True)
        state = httpx.get(f"{address}intake/state", timeout=60).json()
        assert state["can_sign_in"]
        assert "GPT-4o" not in state["named"]
        cookie = f"session={signed({'preferred_username': 'ada'}, 'secret')}"
        forged = f"session={signed({'preferred_username': 'ada'}, 'guessed')}"
        assert post(address, "submit", body, **{"X-CMC": "1", "Cookie": forged})[0] == 403
        status, answer = post(address, "submit", body, **{"X-CMC": "1", "Cookie": cookie})
        assert (status, answer["submitter"], answer["is_mine"]) == (200, "ada", True)


def signed(profile: dict[str, str], secret: str) -> str:
    """Return a session as gradio's own sign-in leaves it in the reader's browser."""
    import base64
    import hashlib

    from itsdangerous import TimestampSigner

    session = json.dumps({"oauth_info": {"userinfo": profile}}).encode()
    key = hashlib.sha256(f"{secret}-v4".encode()).hexdigest()
    return TimestampSigner(key).sign(base64.b64encode(session)).decode()


def test_a_space_without_oauth_takes_no_submission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SPACE_ID", "owner/space")
    request: Any = SimpleNamespace(scope={})
    with pytest.raises(SignInError, match="front matter lacks hf_oauth"):
        account_of(request)


def test_a_space_without_oauth_offers_no_sign_in_that_leads_nowhere(tmp_path: Path) -> None:
    space = {"SYSTEM": "spaces", "SPACE_ID": "owner/space", "GRADIO_SERVER_NAME": "127.0.0.1"}
    with app_served(fill(tmp_path / "store"), space) as address:
        state = httpx.get(f"{address}intake/state", timeout=60).json()
        assert httpx.get(f"{address}login/huggingface", timeout=60).status_code == 404
    assert (state["account"], state["can_sign_in"]) == ("", False)
    assert "front matter lacks hf_oauth" in state["who_can"]


def test_gradio_s_client_gets_rows_and_records(address: str) -> None:
    # In a process of its own: the client leaves its event loop and its sockets open.
    code = (
        "import sys, json; from gradio_client import Client; "
        "client = Client(sys.argv[1], verbose=False); "
        "rows = client.predict('t2i-ulb', 'all', api_name='/rows'); "
        "names = list(client.view_api(return_format='dict')['named_endpoints']); "
        "print(json.dumps([rows[0]['model'], sorted(names)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, address], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer == ["DiffBIR", ["/pictures", "/record", "/rows"]]
