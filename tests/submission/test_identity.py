"""Who is signed in, and what that allows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import SignInError
from protocol.records import Request
from submission.identity import (
    Account,
    SignedInBy,
    account_of_machine,
    account_of_profile,
    account_of_shell,
    account_of_whoami,
    require_owner,
    require_submitter,
)

ADA = Account("ada", SignedInBy.SPACE)


def test_a_user_who_has_a_number_and_no_name_is_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nobody)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    assert account_of_machine().name == "local:12345"


def test_a_profile_names_its_account() -> None:
    assert account_of_profile({"preferred_username": "ada", "name": "Ada L."}) == ADA


@pytest.mark.parametrize(
    "profile",
    [
        None,
        {},
        {"name": "ada"},
        {"preferred_username": ""},
        {"preferred_username": 7},
        {"preferred_username": "local:ada"},
        {"preferred_username": "x" * 200},
    ],
)
def test_without_a_username_nobody_is_signed_in(profile: Any) -> None:
    with pytest.raises(SignInError, match=r"signed in|sign out"):
        account_of_profile(profile)


def test_an_organisations_token_is_nobodys() -> None:
    assert account_of_whoami({"type": "user", "name": "ada"}).name == "ada"
    with pytest.raises(SignInError, match="wanted a user's"):
        account_of_whoami({"type": "org", "name": "acme"})


def test_a_user_of_this_machine_is_no_account_of_the_hub() -> None:
    assert account_of_machine().name.startswith("local:")


def test_without_a_token_the_shell_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(SignInError, match="hf auth login"):
        account_of_shell()


def test_a_request_names_who_is_signed_in(ask: Callable[..., Request]) -> None:
    require_submitter(ADA, ask(submitter="ada"))
    with pytest.raises(SignInError, match="'ada' is signed in"):
        require_submitter(ADA, ask(submitter="bob"))


def test_a_request_is_changed_by_its_submitter_or_a_maintainer(ask: Callable[..., Request]) -> None:
    none: frozenset[str] = frozenset()
    require_owner(ADA, ask(submitter="ada"), none)
    require_owner(ADA, ask(submitter="bob"), frozenset({"ada"}))
    with pytest.raises(SignInError, match="is bob's"):
        require_owner(ADA, ask(submitter="bob"), none)
